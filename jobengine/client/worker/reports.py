"""What a worker tells the broker of its jobs."""

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Final

from jobengine.client.async_client import AsyncClient
from jobengine.client.results import Settled
from jobengine.client.settlements import Completed, Failed, Settlement
from jobengine.errors import JobEngineError, OutcomeUnknown, StorageFull, Unavailable, Unreachable

# The broker is away, or cannot do anything for now.
FOR_NOW: Final = (Unreachable, Unavailable, StorageFull, OutcomeUnknown)
log = logging.getLogger("jobengine.worker")


def pause_seconds() -> float:
    """Before a broker that is away is asked again. Workers that lost it together do not return together."""
    return random.uniform(0.5, 1.0)  # noqa: S311


class Reports:
    """All that comes while one request is under way goes with the next one."""

    def __init__(self, client: AsyncClient, *, on_answer: Callable[[Settlement, Settled], object]) -> None:
        self._client = client
        self._on_answer = on_answer
        self._waiting: dict[tuple[str, str, str], Settlement] = {}  # by queue, uid, verb: the newest counts
        self._came = asyncio.Event()
        self._sent = asyncio.Event()
        self._sent.set()

    def add(self, settlement: Settlement) -> None:
        """Tell it soon."""
        self._waiting[settlement.queue, settlement.uid, settlement.verb] = settlement
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
            await asyncio.gather(*(self._tell(queue, each) for queue, each in by_queue.items()))
            if not self._waiting:
                self._sent.set()

    async def _tell(self, queue: str, settlements: list[Settlement]) -> None:
        try:
            answers = await self._client.settle(queue, settlements, with_jobs=False)
        except FOR_NOW as error:
            log.debug("%d reports wait: %s", len(settlements), error)
            for settlement in settlements:
                self._waiting.setdefault((queue, settlement.uid, settlement.verb), settlement)
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
        if isinstance(settlement, Completed):
            text = f"its result was refused: {error.detail}"
            await self._tell(queue, [Failed(settlement.job, text, type(error).__name__)])
