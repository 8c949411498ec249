"""New jobs: one, or a list, all or none."""

from hashlib import blake2b
from typing import Final, cast

from jobengine.access import Action
from jobengine.errors import NotFound, Unavailable
from jobengine.model.commands import Create, Created, Draft, Idempotency
from jobengine.model.job import Job
from jobengine.web.reply import Reply
from jobengine.web.request import Request
from jobengine.web.routes import Variables
from jobengine.web.v2.broker import Broker, Caller
from jobengine.web.v2.decoding import read_body, wrong
from jobengine.web.v2.drafts import NewJob, new_jobs
from jobengine.web.v2.job import AS_IT_IS, KNOWN, gone_json, job_json, listed, location, shown
from jobengine.web.v2.preferences import Preferences, etag, preferences

KEY_MOST: Final = 255
_HASH_BYTES: Final = 16


class Creating:
    """POST /queues/{queue}/jobs."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def create(self, request: Request, variables: Variables) -> Reply:
        """Make one job, or several."""
        caller = self._broker.caller(request, variables, Action.CREATE)
        body = await self._broker.bodies.read(request)
        wanted = await read_body(body, new_jobs)
        preferred = preferences(request)
        is_one = isinstance(wanted, NewJob)
        if preferred.wait is not None and not is_one:
            raise wrong("Prefer", "wait is for one job, not for a list")
        drafts = tuple([each.draft() for each in ((wanted,) if is_one else wanted)])
        idempotency = _idempotency(request, caller, body)
        created = await self._broker.engine.submit(Create(caller.queue, drafts, idempotency))
        status = 200 if len(created.known) == len(created.jobs) else 201
        if not is_one:
            return Reply(
                status, await self._several(caller, created, drafts, preferred), headers=preferred.applied
            )
        if not created.jobs:  # made by the first request with this key
            return Reply(status, gone_json(created.gone[0], caller.queue), headers=preferred.applied)
        return await self._one(request, status, created, drafts[0], preferred)

    async def _one(
        self, request: Request, status: int, created: Created, draft: Draft, preferred: Preferences
    ) -> Reply:
        (job,) = created.jobs
        headers = location(job) + preferred.applied
        if preferred.wait is not None:
            ended = await self._ended(request, job, preferred.wait.seconds)
            if ended is None:
                return Reply(status, gone_json(job.uid, job.queue), headers=headers)
            job = ended
        headers += etag(job)
        if preferred.minimal:
            return Reply(status, b'{"uid":"%b"}' % job.uid.encode(), headers=headers)
        if preferred.wait is None and not created.known:
            return Reply(status, _new_json(job, draft), headers=headers)
        how = KNOWN if created.known else AS_IT_IS
        return Reply(status, await shown(self._broker.engine, job, how), headers=headers)

    async def _several(
        self, caller: Caller, created: Created, drafts: tuple[Draft, ...], preferred: Preferences
    ) -> bytes:
        if preferred.minimal:
            uids = created.first_answer or [job.uid for job in created.jobs]
            return b'{"uids":["%b"]}' % '","'.join(uids).encode()
        known = created.known
        if known or created.gone:
            jobs = [
                await shown(self._broker.engine, job, KNOWN if place in known else AS_IT_IS)
                for place, job in enumerate(created.jobs)
            ]
            return listed(_with_gone(jobs, created, caller.queue))
        return listed([_new_json(job, draft) for job, draft in zip(created.jobs, drafts, strict=True)])

    async def _ended(self, request: Request, job: Job, seconds: float) -> Job | None:
        """The job when it has ended, or as it is when nobody can wait longer; None when it is gone."""
        engine = self._broker.engine
        try:
            return await self._broker.patience.wait(request, engine.ended(job.queue, job.uid, wait=seconds))
        except NotFound:
            return None
        except Unavailable:  # it is made, whatever comes of it
            return job


def _with_gone(jobs: list[bytes], created: Created, queue: str) -> list[bytes]:
    """All jobs of the first answer, in its order."""
    if not created.gone:
        return jobs
    there = {job.uid: each for job, each in zip(created.jobs, jobs, strict=True)}
    return [there.get(uid) or gone_json(uid, queue) for uid in created.first_answer]


def _new_json(job: Job, draft: Draft) -> bytes:
    """A job that was made just now. Its content is what was sent, and need not be fetched."""
    return job_json(job, cast(bytes, draft.content), None)


def _idempotency(request: Request, caller: Caller, body: bytes) -> Idempotency | None:
    """Raises ValidationFailed."""
    if "Idempotency-Key" not in request.headers:
        return None
    keys = request.headers.getall("Idempotency-Key")
    key = keys[0].strip().removeprefix('"').removesuffix('"')
    if len(keys) > 1 or not 1 <= len(key) <= KEY_MOST:
        raise wrong("Idempotency-Key", f"must be one, of 1 to {KEY_MOST} characters")
    named = "\0".join((caller.service, caller.queue, key)).encode(errors="surrogateescape")
    return Idempotency(
        blake2b(named, digest_size=_HASH_BYTES).digest(), blake2b(body, digest_size=_HASH_BYTES).digest()
    )
