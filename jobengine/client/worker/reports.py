"""What a worker tells the broker of its jobs."""

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Final

from jobengine.client.async_client import AsyncClient
from jobengine.client.job import Held, held
from jobengine.client.results import Settled
from jobengine.client.settlements import Completed, Extended, Failed, Progressed, Released, Settlement
from jobengine.errors import (
    BodyTooLarge,
    Damaged,
    InvalidJson,
    JobEngineError,
    OutcomeUnknown,
    StorageFull,
    Unavailable,
    Unreachable,
    ValidationFailed,
)

# The broker is away, cannot do anything for now, or cannot read a job that others are not to suffer from.
FOR_NOW: Final = (Unreachable, Unavailable, StorageFull, OutcomeUnknown, Damaged)
_NOT_TAKEN: Final = (ValidationFailed, BodyTooLarge, InvalidJson)  # something about an ending is wrong
_ENDINGS: Final = (Completed, Failed, Released)
log = logging.getLogger("jobengine.worker")


def pause_seconds() -> float:
    """Before a broker that is away is asked again. Workers that lost it together do not return together."""
    return random.uniform(0.5, 1.0)  # noqa: S311


class Reports:
    """All that comes while one request is under way goes with the next one."""

    def __init__(self, client: AsyncClient, *, on_answer: Callable[[Settlement, Settled], object]) -> None:
        self._client = client
        self._on_answer = on_answer
        self._waiting: dict[tuple[Held, str], Settlement] = {}  # by job and verb: the newest counts
        self._came = asyncio.Event()
        self._sent = asyncio.Event()
        self._sent.set()

    def add(self, settlement: Settlement) -> None:
        """Tell it soon."""
        holder = held(settlement.job)
        self._waiting[holder, settlement.verb] = settlement
        if isinstance(settlement, _ENDINGS):
            self._waiting.pop((holder, Extended.verb), None)
        self._came.set()
        self._sent.clear()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left to be told."""
        return self._sent.is_set()

    async def all_sent(self) -> None:
        """Wait until nothing is left to be told."""
        await self._sent.wait()

    async def run(self) -> None:
        """Tell what comes, for ever."""
        while True:
            await self._came.wait()
            self._came.clear()
            waiting, self._waiting = self._waiting, {}
            by_queue: dict[str, list[Settlement]] = {}
            for settlement in waiting.values():
                by_queue.setdefault(settlement.queue, []).append(settlement)
            await asyncio.gather(*(self._tell_in_turn(queue, each) for queue, each in by_queue.items()))
            if not self._waiting:
                self._sent.set()

    async def _tell_in_turn(self, queue: str, settlements: list[Settlement]) -> None:
        """The last progress of jobs that have ended goes first: of one request, endings are done first."""
        ended = {held(each.job) for each in settlements if isinstance(each, _ENDINGS)}
        first: list[Settlement] = []
        then: list[Settlement] = []
        for each in settlements:
            (first if isinstance(each, Progressed) and held(each.job) in ended else then).append(each)
        for part in filter(None, (first, then)):
            await self._tell(queue, part)

    async def _tell(self, queue: str, settlements: list[Settlement]) -> None:
        try:
            answers = await self._client.settle(queue, settlements, with_jobs=False)
        except FOR_NOW as error:
            log.debug("%d reports wait: %s", len(settlements), error)
            for settlement in settlements:
                self._waiting.setdefault((held(settlement.job), settlement.verb), settlement)
            await asyncio.sleep(pause_seconds())
            self._came.set()
        except JobEngineError as error:
            await self._tell_each(queue, settlements, error)
        else:
            for settlement, answer in zip(settlements, answers, strict=True):
                self._on_answer(settlement, answer)

    async def _tell_each(self, queue: str, settlements: list[Settlement], error: JobEngineError) -> None:
        """One of them is to blame: a result that is too large, for example."""
        if len(settlements) > 1:
            for settlement in settlements:
                await self._tell(queue, [settlement])
            return
        (settlement,) = settlements
        self._on_answer(settlement, Settled(uid=settlement.uid, error=error))
        if isinstance(error, _NOT_TAKEN) and (failed := _instead_of(settlement, error)) is not None:
            await self._tell(queue, [failed])


def _instead_of(settlement: Settlement, error: JobEngineError) -> Failed | None:
    """An attempt must end somehow: what is said where the broker does not take what a function wanted."""
    match settlement:
        case Completed():
            refused = "its result"
        case Released() | Failed(delay=float() | int()):
            refused = "the delay that it asked for"
        case _:
            return None
    return Failed(settlement.job, f"{refused} was refused: {error.detail}", type(error).__name__)
