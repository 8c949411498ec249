"""Jobs for a worker on another machine: over HTTP, from a broker."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, assert_never

import msgspec
import structlog

from jobengine.client.async_client import AsyncClient
from jobengine.client.calls.claiming import claim
from jobengine.client.exchange import Call
from jobengine.client.job import Asked as AskedOf
from jobengine.client.job import Held, Job
from jobengine.client.results import Settled
from jobengine.client.settlements import Completed, Extended, Failed, Released, Settlement
from jobengine.errors import (
    BodyTooLarge,
    Forbidden,
    InvalidJson,
    JobEngineError,
    NotFound,
    OutcomeUnknown,
    Unavailable,
    Unreachable,
    ValidationFailed,
)
from jobengine.model.log import Stream
from jobengine.work.outcome import Broken, Done, GivenBack, Halted, Kind, Outcome
from jobengine.work.source import Asked, Claimed

AGAIN_SECONDS: Final = 0.5  # before output that was not taken is sent again
LOOK_SECONDS: Final = 5.0  # after at most so long a worker hears that a job is to halt or to stop
_ASKED: Final[Mapping[AskedOf, Asked]] = {
    AskedOf.RUN: Asked.RUN,
    AskedOf.HALT: Asked.HALT,
    AskedOf.STOP: Asked.STOP,
}

log = structlog.get_logger(__name__)


class RemoteSource:
    """The Source of a worker that asks a broker. Whoever is out of reach for a while is asked again."""

    def __init__(self, client: AsyncClient, *, worker: str, lease_seconds: float = 60) -> None:
        self.lease_seconds = lease_seconds
        self._client = client
        self._worker = worker

    async def claim(self, queues: Sequence[str], *, most: int, wait: float) -> Sequence[Claimed]:
        """Jobs of these queues; waits so many seconds for some. Cancelled, it holds none."""
        try:
            # Asked again by the worker itself, which says that the broker is away.
            jobs = await self._client.carry_out(self._claiming(queues, most, wait), retry_seconds=0)
        except Unreachable as error:
            raise Unavailable(error.detail) from None
        return [_claimed(job) for job in jobs]

    def _claiming(self, queues: Sequence[str], most: int, wait: float) -> Call[list[Job]]:
        return claim(
            queues[0] if len(queues) == 1 else queues,
            most,
            wait=wait,
            lease=self.lease_seconds,
            worker=self._worker,
        )

    async def renew(self, jobs: Sequence[Claimed]) -> Sequence[Asked]:
        """Hold all of them on; what is wanted of each."""
        asked: dict[str, Asked] = {}
        for queue in {job.queue for job in jobs}:
            held = [job for job in jobs if job.queue == queue]
            extends = [Extended(_held(job), self.lease_seconds) for job in held]
            try:
                settled = await self._settled(queue, extends)
            except (NotFound, Forbidden):  # the queue is gone, or is not this worker's any more
                settled = [Settled(job.uid) for job in held]
            asked |= {job.uid: _asked(each) for job, each in zip(held, settled, strict=True)}
        return [asked[job.uid] for job in jobs]

    async def changed(self, job: Claimed, known: Asked) -> None:  # noqa: ARG002 - nobody tells: look soon
        """Wait until it is worth while to renew it."""
        await asyncio.sleep(min(LOOK_SECONDS, self.lease_seconds / 3))

    async def log(self, job: Claimed, stream: Stream, offset: int, data: bytes) -> None:
        """Put output behind that which is there, as soon as the broker is there again. Raises LeaseLost."""
        end = asyncio.get_running_loop().time() + self.lease_seconds
        while True:
            try:
                return await self._client.append_log(_held(job), stream.value, offset, data)
            except (Unreachable, Unavailable):  # the client may have less patience than its broker asks for
                if asyncio.get_running_loop().time() > end:
                    raise
                await asyncio.sleep(AGAIN_SECONDS)

    async def progress(self, job: Claimed, progress: bytes) -> None:
        """How far it has come, as JSON. Raises LeaseLost."""
        await self._client.progress(_held(job), msgspec.Raw(progress))

    async def settle(self, job: Claimed, outcome: Outcome) -> None:
        """How it ended. Raises LeaseLost."""
        try:
            await self._settle(job, outcome)
        except (BodyTooLarge, InvalidJson, ValidationFailed) as refusal:
            if (smaller := _without_values(outcome, refusal.detail)) is None:
                raise
            await self._settle(job, smaller)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _settle(self, job: Claimed, outcome: Outcome) -> None:
        (settled,) = await self._settled(job.queue, [_settlement(job, outcome)])
        if settled.error is not None:
            raise settled.error

    async def _settled(self, queue: str, settlements: Sequence[Settlement]) -> list[Settled]:
        try:
            return await self._client.settle(queue, settlements, with_jobs=False)
        except Unreachable as error:
            raise OutcomeUnknown(error.detail) from None


def _claimed(job: Job) -> Claimed:
    held = _of_claim(job)
    saved = None if job.saved is None else msgspec.json.encode(job.saved)
    timeout = round((job.timeout or 0) * 1000)
    content = msgspec.json.encode(job.content)
    asked = _ASKED[job.control or AskedOf.RUN]
    return Claimed(job.queue, job.uid, held, job.attempt, content, timeout, saved, asked)


def _of_claim(job: Job) -> str:
    if job.lease is None or job.lease.id is None:
        raise JobEngineError("the broker has answered a claim without a lease")
    return job.lease.id


def _held(job: Claimed) -> Held:
    return Held(job.queue, job.uid, job.lease)


def _asked(settled: Settled) -> Asked:
    return Asked.GONE if settled.control is None else _ASKED[settled.control]


def _without_values(outcome: Outcome, refused: str) -> Outcome | None:
    """What can be told all the same; None when the values were not the reason."""
    match outcome:
        case Done() | Broken(result=bytes()):
            text = f"the broker does not take its result: {refused}; see limits.body_bytes there"
            return Broken(Kind.OUTPUT, text, retry=False)
        case Halted(bytes()):
            log.warning("saved_not_taken", reason=refused)  # it begins anew
            return Halted()
        case _:
            return None


def _settlement(job: Claimed, outcome: Outcome) -> Settlement:
    held = _held(job)
    match outcome:
        case Done(result):
            return Completed(held, msgspec.Raw(result))
        case Broken(kind, text, result, retry):
            return Failed(held, text, kind, retry, result=None if result is None else msgspec.Raw(result))
        case Halted(saved):
            return Released(held, saved=None if saved is None else msgspec.Raw(saved))
        case GivenBack():
            return Released(held)
        case _:
            assert_never(outcome)
