"""New jobs: one, or a list, all or none."""

from collections.abc import AsyncGenerator, Iterable
from hashlib import blake2b
from typing import Final, cast

from jobengine.access import Action
from jobengine.errors import NotFound, Unavailable
from jobengine.model.commands import Create, Created, Draft, Idempotency
from jobengine.model.job import Job
from jobengine.web.reply import Reply, Stream
from jobengine.web.request import Request
from jobengine.web.routes import Variables
from jobengine.web.v2.broker import Broker, Caller
from jobengine.web.v2.decoding import read_body, wrong
from jobengine.web.v2.drafts import NewJob, new_jobs
from jobengine.web.v2.job import AS_IT_IS, KNOWN, Shown, gone_json, job_json, listed, location, shown
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
            reply = self._several(caller, created, drafts, preferred)
            reply.status, reply.headers = status, preferred.applied
            return reply
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

    def _several(
        self, caller: Caller, created: Created, drafts: tuple[Draft, ...], preferred: Preferences
    ) -> Reply:
        if preferred.minimal:
            uids = created.first_answer or [job.uid for job in created.jobs]
            return Reply(200, b'{"uids":["%b"]}' % '","'.join(uids).encode())
        if created.known or created.gone:
            return Stream(self._known(created, caller.queue))
        return Reply(
            200, listed([_new_json(job, draft) for job, draft in zip(created.jobs, drafts, strict=True)])
        )

    async def _known(self, created: Created, queue: str) -> AsyncGenerator[bytes, None]:
        """All jobs of the answer, one by one: nobody knows how much they hold by now."""
        comma = b'{"jobs":['
        for place, (uid, job) in enumerate(_in_order(created)):
            how = KNOWN if created.gone or place in created.known else AS_IT_IS
            yield comma + await self._as_known(uid, job, queue, how)
            comma = b","
        yield b"]}"

    async def _as_known(self, uid: str, job: Job | None, queue: str, how: Shown) -> bytes:
        try:
            return gone_json(uid, queue) if job is None else await shown(self._broker.engine, job, how)
        except NotFound:  # it went while its content was fetched
            return gone_json(uid, queue)

    async def _ended(self, request: Request, job: Job, seconds: float) -> Job | None:
        """The job when it has ended, or as it is when nobody can wait longer; None when it is gone."""
        engine = self._broker.engine
        try:
            return await self._broker.patience.wait(request, engine.ended(job.queue, job.uid, wait=seconds))
        except NotFound:
            return None
        except Unavailable:  # it is made, whatever comes of it
            return job


def _in_order(created: Created) -> Iterable[tuple[str, Job | None]]:
    """All jobs of the first answer, in its order; None for those that are gone."""
    if not created.gone:
        return [(job.uid, job) for job in created.jobs]
    there = {job.uid: job for job in created.jobs}
    return [(uid, there.get(uid)) for uid in created.first_answer]


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
