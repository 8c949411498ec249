"""Writes the database file anew when most of it is of no use any more."""

import asyncio
from typing import Final, Protocol

import structlog

from jobengine.engine.interface import Compacted
from jobengine.errors import Damaged, JobEngineError
from jobengine.upkeep.background import Background

LOOK_SECONDS: Final = 5.0
REFUSED_SECONDS: Final = 60.0
DAMAGED_SECONDS: Final = 3600.0  # the same big value will be as damaged then, unless somebody did something

log = structlog.get_logger(__name__)


class Compactable(Protocol):
    """An engine that keeps its jobs in a file."""

    def file_bytes(self) -> int:
        """The size of the file."""

    def live_bytes(self) -> int:
        """About how much of it is still in use."""

    async def compact(self) -> Compacted:
        """Write what is live into a new file."""


class Compactor(Background):
    """Looks now and then, and compacts when the file is large enough and little enough of it is in use."""

    def __init__(self, engine: Compactable, *, above_bytes: int, live_ratio: float) -> None:
        super().__init__()
        self._engine = engine
        self._above_bytes = above_bytes
        self._live_ratio = live_ratio

    def is_worth_it(self) -> bool:
        """Whether the file is that large, and that little of it still in use."""
        size = self._engine.file_bytes()
        return size > self._above_bytes and self._engine.live_bytes() < self._live_ratio * size

    async def turn(self) -> float:
        """Compact when it is worth it. How many seconds to rest then."""
        if not self.is_worth_it():
            return LOOK_SECONDS
        try:
            compacted = await self._engine.compact()
        except JobEngineError as refusal:
            log.warning("not_compacted", reason=refusal.detail, bytes=self._engine.file_bytes())
            return DAMAGED_SECONDS if isinstance(refusal, Damaged) else REFUSED_SECONDS
        except Exception as fault:  # nobody else would go on
            log.error("not_compacted", exc_info=fault)
            return REFUSED_SECONDS
        log.info(
            "compacted",
            bytes_before=compacted.bytes_before,
            bytes_after=compacted.bytes_after,
            seconds=round(compacted.seconds, 3),
        )
        return LOOK_SECONDS

    async def _go_on(self) -> None:
        while True:
            seconds = await self.turn()
            await asyncio.sleep(seconds)
