"""The simulated disk, in the hands of a seed."""

import errno
import os
from pathlib import Path
from random import Random
from typing import Any

from tests.support.disk import SECTOR, SimulatedDisk

KEPT_SHARES = (0.0, 0.3, 0.7, 1.0)  # of what was not synced, when the machine goes


class DiskInDanger:
    """Passes all calls on. Before any call that changes something, the process or the machine may go."""

    def __init__(self, disk: SimulatedDisk, random: Random) -> None:
        self.disk = disk
        self.left: SimulatedDisk | None = None  # when it is over: what the next start finds
        self.refusal: tuple[str, int] | None = None  # the next such call fails with this errno
        self.calls_left: int | None = None  # before the process or the machine goes
        self.loses_power = False
        self._random = random

    def __getattr__(self, name: str) -> Any:
        return getattr(self.disk, name)

    def end(self) -> None:
        """It goes now. What is done to the disk from now on, nobody will see."""
        if self.left is None:
            keep = self._random.choice(KEPT_SHARES)
            self.left = self.disk.crash(self._random, keep=keep) if self.loses_power else self.disk.kill()
            self.left.room = None

    def write(self, file: int, data: bytes | memoryview, offset: int) -> int:
        """A write, which may be a short one."""
        self._before("write")
        if self._random.random() < 0.01:
            data = data[: _half(offset, len(data))]
        return self.disk.write(file, data, offset)

    def sync(self, file: int) -> None:
        """A sync. One that fails lets the system forget what was not written."""
        try:
            self._before("sync")
        except OSError:
            self.disk._open[file].fail_to_sync()
            raise
        self.disk.sync(file)

    def truncate(self, file: int, length: int) -> None:
        """A cut."""
        self._before("truncate")
        self.disk.truncate(file, length)

    def rename(self, old: Path, new: Path) -> None:
        """One name in the place of another."""
        self._before("rename")
        self.disk.rename(old, new)

    def link(self, old: Path, new: Path) -> None:
        """A second name."""
        self._before("link")
        self.disk.link(old, new)

    def remove(self, path: Path) -> None:
        """A name less."""
        self._before("remove")
        self.disk.remove(path)

    def sync_directory(self, path: Path) -> None:
        """The names are on disk."""
        self._before("sync_directory")
        self.disk.sync_directory(path)

    def _before(self, call: str) -> None:
        if self.calls_left is not None:
            self.calls_left -= 1
            if self.calls_left <= 0:
                self.end()
        if self.refusal is not None and self.refusal[0] == call:
            number, self.refusal = self.refusal[1], None
            raise OSError(number, os.strerror(number))


def _half(offset: int, length: int) -> int:
    """About half of a write, up to the end of a sector; all of it when it has no such end in it.

    Of two writes into one sector the disk cannot keep only the second. The simulated one would.
    """
    stop = (offset + length // 2) // SECTOR * SECTOR
    return stop - offset if stop > offset else length


def io_error(call: str) -> tuple[str, int]:
    """The refusal of a broken disk."""
    return call, errno.EIO
