"""Jobs for the server's own worker: straight from the engine."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, assert_never

from jobengine.engine.interface import Engine
from jobengine.errors import Damaged, JobEngineError, NotFound
from jobengine.model.commands import (
    Claim,
    ClaimAny,
    Complete,
    Extend,
    Fail,
    Log,
    Progress,
    Release,
    Settle,
    Settlement,
    only,
)
from jobengine.model.job import Job
from jobengine.model.log import Stream
from jobengine.model.states import State
from jobengine.work.outcome import Broken, Done, GivenBack, Halted, Kind, Outcome
from jobengine.work.source import Asked, Claimed

GONE_SECONDS: Final = 1.0
SERVICE: Final = "jobengine"  # who claims the jobs that the server runs itself


class LocalSource:
    """The Source of a worker that lives in the server."""

    def __init__(self, engine: Engine, *, worker: str, lease_seconds: float = 60) -> None:
        self.lease_seconds = lease_seconds
        self._engine = engine
        self._worker = worker

    async def claim(self, queues: Sequence[str], *, most: int, wait: float) -> Sequence[Claimed]:
        """Jobs of these queues; waits so many seconds for some. Cancelled, it holds none."""
        lease = self._milliseconds
        command: Claim | ClaimAny
        if len(queues) == 1:
            command = Claim(queues[0], SERVICE, most, lease, self._worker)
        else:
            command = ClaimAny(tuple((queue, 1) for queue in queues), SERVICE, most, lease, self._worker)
        try:
            jobs = await self._engine.claim(command, wait=wait)
        except NotFound:  # one of the queues has gone: whoever changes the configuration soon says so
            await asyncio.sleep(min(wait, GONE_SECONDS))
            return ()
        try:
            return [claimed for job in jobs for claimed in await self._with_values(job)]
        except BaseException:
            await self._give_back(jobs)
            raise

    async def renew(self, jobs: Sequence[Claimed]) -> Sequence[Asked]:
        """Hold all of them on; what is wanted of each."""
        asked: dict[str, Asked] = {}
        for queue in {job.queue for job in jobs}:
            held = [job for job in jobs if job.queue == queue]
            extends = tuple(Extend(job.uid, _lease(job), self._milliseconds) for job in held)
            try:
                outcomes = await self._engine.submit(Settle(queue, extends))
            except NotFound:
                outcomes = (NotFound(),) * len(held)  # the queue is gone
            asked |= {job.uid: _asked(outcome, job) for job, outcome in zip(held, outcomes, strict=True)}
        return [asked[job.uid] for job in jobs]

    async def changed(self, job: Claimed, known: Asked) -> None:
        """Wait until something else than this is wanted of it."""
        try:
            await self._engine.once(job.queue, job.uid, lambda now: _asked(now, job) is not known)
        except NotFound:
            return

    async def log(self, job: Claimed, stream: Stream, offset: int, data: bytes) -> None:
        """Put output behind that which is there. Raises LeaseLost."""
        await self._engine.submit(Log(job.queue, job.uid, _lease(job), stream, offset, data))

    async def progress(self, job: Claimed, progress: bytes) -> None:
        """How far it has come, as JSON. Raises LeaseLost."""
        await self._settle(job, Progress(job.uid, _lease(job), progress))

    async def settle(self, job: Claimed, outcome: Outcome) -> None:
        """How it ended. Raises LeaseLost."""
        await self._settle(job, _settlement(job, outcome))

    async def close(self) -> None:
        """Nothing is kept open."""

    @property
    def _milliseconds(self) -> int:
        return round(self.lease_seconds * 1000)

    async def _settle(self, job: Claimed, settlement: Settlement) -> None:
        only(await self._engine.submit(Settle(job.queue, (settlement,))))

    async def _give_back(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            with suppress(JobEngineError):  # then its lease runs out
                unseen = Release(job.uid, job.lease, is_unseen=True)
                await self._engine.submit(Settle(job.queue, (unseen,)))

    async def _with_values(self, job: Job) -> Sequence[Claimed]:
        """The job with all that it brings; none when it is gone, or cannot be read: then it has failed."""
        try:
            content = await self._engine.content(job.content)
            saved = None if job.more.saved is None else await self._engine.content(job.more.saved)
        except NotFound:
            return ()
        except Damaged as damage:
            with suppress(JobEngineError):
                fail = Fail(job.uid, job.lease, Kind.CONTENT, damage.detail, retry=False)
                await self._engine.submit(Settle(job.queue, (fail,)))
            return ()
        lease, timeout = f"{job.lease:016x}", job.more.timeout
        asked = Asked(job.more.asked.value)
        return (Claimed(job.queue, job.uid, lease, job.attempt, content, timeout, saved, asked),)


def _lease(job: Claimed) -> int:
    return int(job.lease, 16)


def _asked(now: Job | JobEngineError, job: Claimed) -> Asked:
    """What is wanted of a job that was claimed, by what it is now."""
    if isinstance(now, JobEngineError) or now.state is not State.INPROGRESS or now.lease != _lease(job):
        return Asked.GONE
    return Asked(now.more.asked.value)


def _settlement(job: Claimed, outcome: Outcome) -> Settlement:
    uid, lease = job.uid, _lease(job)
    match outcome:
        case Done(result):
            return Complete(uid, lease, result)
        case Broken(kind, text, result, retry):
            return Fail(uid, lease, kind, text, retry=retry, result=result)
        case Halted(saved):
            return Release(uid, lease, saved=saved)
        case GivenBack():
            return Release(uid, lease)
        case _:
            assert_never(outcome)
