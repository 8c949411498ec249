"""Keeps the last room on the disk for those who finish jobs: when little is left, none may be added."""

import asyncio
import contextlib
from typing import Final, Protocol

import structlog

from jobengine.errors import InputOutputFailed
from jobengine.settings.memory import MEBIBYTE
from jobengine.upkeep.background import Background

LOOK_SECONDS: Final = 1.0
QUIET_LOOKS: Final = 3  # without trouble before it is said to be over: near the limit it comes and goes

log = structlog.get_logger(__name__)


class Storing(Protocol):
    """An engine that keeps its jobs on a disk."""

    def free_bytes(self) -> int:
        """How many bytes may still be written there. Blocks. Raises InputOutputFailed."""

    def refuse_growth(self, reason: str | None) -> None:
        """Refuse what needs more room, for this reason, until there is none."""


class FreeSpace(Background):
    """Looks every second, and at once when the disk has refused a write."""

    def __init__(self, engine: Storing, *, reserve_bytes: int) -> None:
        super().__init__()
        self.free_bytes = 0  # when it was last looked at
        self._engine = engine
        self._reserve_bytes = reserve_bytes
        self._is_short = False  # and was said to be
        self._quiet_looks = 0
        self._refused = asyncio.Event()

    async def start(self) -> None:
        """Look now, and from now on."""
        if not self.is_going:
            await self.look()
        await super().start()

    def look_soon(self) -> None:
        """The disk has refused a write: there is no room."""
        self._refused.set()

    def warning(self) -> str | None:
        """What is to be told of it, while there is little room."""
        return self._refusal() if self._is_short else None

    async def look(self) -> None:
        """See how much room there is, and act accordingly."""
        was_refused = self._refused.is_set()
        self._refused.clear()
        try:
            self.free_bytes = await asyncio.to_thread(self._engine.free_bytes)
        except InputOutputFailed as failure:
            log.warning("free_space_unknown", reason=failure.detail)
            return
        is_low = self.free_bytes <= self._reserve_bytes
        self._engine.refuse_growth(self._refusal() if is_low else None)
        self._tell(is_short=is_low or was_refused)

    async def _go_on(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._refused.wait()
            await self.look()

    def _tell(self, *, is_short: bool) -> None:
        """A line when it begins, and one when it ends."""
        self._quiet_looks = 0 if is_short else self._quiet_looks + 1
        if is_short and not self._is_short:
            self._is_short = True
            log.error("disk_nearly_full", **self._figures(), refused="whatever adds jobs")
        elif self._is_short and self._quiet_looks >= QUIET_LOOKS:
            self._is_short = False
            log.warning("disk_has_room_again", **self._figures())

    def _figures(self) -> dict[str, int]:
        return {
            "free_mib": self.free_bytes // MEBIBYTE,
            "database.reserve_mib": self._reserve_bytes // MEBIBYTE,
        }

    def _refusal(self) -> str:
        return (
            f"the disk has {self.free_bytes // MEBIBYTE} MiB free, and the last "
            f"{self._reserve_bytes // MEBIBYTE} (database.reserve_mib) are kept for claiming and finishing "
            "jobs: make room on it, then ask again"
        )
