"""How much room the disk has, how quick it is, and since when all is well."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from tests.simulation.loop import THREAD_SECONDS, SimulatedLoop
from tests.support.disk import SimulatedDisk

RESERVE_BYTES: Final = 30_000  # what `database.reserve_mib` is, where all is small
# A life is short here: the broker looks ten times as often, and has a tenth of the time.
LOOK_SECONDS: Final = 0.1
RECOVERY_SECONDS: Final = 0.5  # of a disk with room again, until whatever adds jobs is taken


class Room:
    """Of one life's disk. One trouble at a time."""

    def __init__(self, disk: SimulatedDisk, loop: SimulatedLoop) -> None:
        self._disk = disk
        self._loop = loop
        self._is_well = True
        self._well_from = loop.time()  # or later, while it is not

    @asynccontextmanager
    async def only(self, left: int) -> AsyncIterator[None]:
        """So many bytes are left."""
        self._is_well = False
        self._disk.room = self._disk._used() + left
        yield
        self._disk.room = None
        self._is_well_from(self._loop.time())

    @asynccontextmanager
    async def slow(self, seconds: float) -> AsyncIterator[None]:
        """Each call may take so long."""
        self._is_well = False
        self._loop.thread_seconds = seconds
        yield
        self._loop.thread_seconds = THREAD_SECONDS
        self._is_well_from(self._loop.time() + 2 * seconds)  # those that have begun may take so long

    def is_long_since(self) -> bool:
        """Whether it has had room, and was quick, for so long that nothing may be refused for want of it."""
        return self._is_well and self._loop.time() > self._well_from + RECOVERY_SECONDS

    def _is_well_from(self, seconds: float) -> None:
        self._is_well = True
        self._well_from = max(self._well_from, seconds)
