"""Reads the database file now and then, slowly: better to hear of damage while memory has every job still."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from random import uniform
from typing import Final

import structlog

from jobengine.journal.scrub import Scrub
from jobengine.settings.memory import MEBIBYTE
from jobengine.upkeep.background import Background

FIRST_HOURS: Final = 1.0  # at most, until the first one: servers that start together need not read together
REST: Final = 4  # times as long as a step took: reading and checking leave most of a core to the requests
RANGES_MOST: Final = 20  # in the log
_HOUR_SECONDS: Final = 3600

log = structlog.get_logger(__name__)


class Scrubber(Background):
    """Reads the file once a period, no faster than its rate."""

    def __init__(
        self,
        begin: Callable[[], Scrub],
        *,
        hours: float,
        mib_per_second: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[float, float], float] = uniform,
    ) -> None:
        super().__init__()
        self.last_completed = 0.0  # seconds since the Unix epoch
        self.read_bytes = 0
        self._begin = begin
        self._hours = hours
        self._bytes_per_second = mib_per_second * MEBIBYTE
        self._sleep = sleep
        self._random = random
        self._found: Scrub | None = None  # the last one that has something to say

    async def start(self) -> None:
        """Scrub from now on; never with a period of 0 hours."""
        if self._hours:
            await super().start()

    def damaged_bytes(self) -> int:
        """Found in the file that is in use."""
        return self._found.damaged_bytes if self._found is not None and self._found.is_current() else 0

    def warning(self) -> str | None:
        """What is to be told of damage in the file that is in use."""
        if not (damaged := self.damaged_bytes()):
            return None
        return (
            f"{damaged} bytes of the database file are damaged on the disk; the jobs in memory are right: "
            "see `jobengine db verify`, then write them anew with `jobengine db compact`. A job "
            "whose big value is damaged it names: delete that one, or see `jobengine db repair`"
        )

    async def turn(self) -> None:
        """Read the whole file; anew when a compaction puts another one in its place."""
        started = time.monotonic()
        scrub = self._begin()
        while not scrub.is_done:
            if not scrub.is_current():
                scrub = self._begin()
            await self._step(scrub)
        self._found, self.last_completed = scrub, time.time()
        _tell(scrub, time.monotonic() - started)

    async def _go_on(self) -> None:
        seconds = self._random(0, min(FIRST_HOURS, self._hours) * _HOUR_SECONDS)
        while True:
            await self._sleep(seconds)
            await self.turn()
            seconds = self._hours * _HOUR_SECONDS

    async def _step(self, scrub: Scrub) -> None:
        started = time.monotonic()
        read = await asyncio.to_thread(scrub.step)
        self.read_bytes += read
        if scrub.damages:
            self._found = scrub
        took = time.monotonic() - started
        await self._sleep(max(read / self._bytes_per_second - took, REST * took))


def _tell(scrub: Scrub, seconds: float) -> None:
    if not scrub.damages:
        log.info("scrubbed", seconds=round(seconds, 1))
        return
    log.error(
        "scrub_found_damage",
        bytes=scrub.damaged_bytes,
        ranges=[f"{damage.offset}-{damage.end}" for damage in scrub.damages[:RANGES_MOST]],
        do="jobengine db verify, then jobengine db compact: it writes every job anew from memory, "
        "and names the one whose big value is damaged",
    )
