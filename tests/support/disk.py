"""A disk in memory that loses, tears and refuses, as real ones do.

What is written lies in the page cache until it is synced. A crash of the machine keeps any part of what was
not synced, in sectors; a file whose name was not synced may be gone. Any call may be made to fail.
"""

import errno
import os
from collections.abc import Iterable
from pathlib import Path
from random import Random

SECTOR = 512


class Write:
    """Bytes on their way to the disk."""

    def __init__(self, offset: int, data: bytes) -> None:
        self.offset = offset
        self.data = data

    def sectors(self) -> Iterable["Write"]:
        """The pieces that reach the disk, or do not, as a whole."""
        start = self.offset
        while start < self.offset + len(self.data):
            stop = min((start // SECTOR + 1) * SECTOR, self.offset + len(self.data))
            yield Write(start, self.data[start - self.offset : stop - self.offset])
            start = stop

    def apply(self, content: bytearray) -> None:
        """Let it have reached this content."""
        if len(content) < self.offset:
            content.extend(bytes(self.offset - len(content)))
        content[self.offset : self.offset + len(self.data)] = self.data


class Truncate:
    """A cut on its way to the disk."""

    def __init__(self, length: int) -> None:
        self.length = length

    def sectors(self) -> Iterable["Truncate"]:
        """It has no pieces."""
        yield self

    def apply(self, content: bytearray) -> None:
        """Let it have reached this content."""
        del content[self.length :]

    def cut(self, writes: Iterable[Write]) -> list[Write]:
        """What is left of these writes."""
        return [
            Write(write.offset, write.data[: self.length - write.offset])
            for write in writes
            if write.offset < self.length
        ]


class SimulatedFile:
    """What programs see of a file, what the disk holds of it, and what lies between."""

    def __init__(self, content: bytes = b"") -> None:
        self.seen = bytearray(content)
        self.durable = bytearray(content)
        self.pending: list[Write | Truncate] = []
        self.locked = False

    def change(self, change: Write | Truncate) -> None:
        """Change what programs see."""
        change.apply(self.seen)
        self.pending.append(change)

    def sync(self) -> None:
        """Bring all of it to the disk."""
        self.durable = bytearray(self.seen)
        self.pending.clear()

    def fail_to_sync(self) -> None:
        """As Linux does: what was not written is forgotten, and still shown."""
        self.pending.clear()

    def copy(self) -> "SimulatedFile":
        """The same, unlocked."""
        other = SimulatedFile()
        other.seen, other.durable, other.pending = self.seen[:], self.durable[:], self.pending[:]
        return other

    def after_crash(self, random: Random, keep: float) -> "SimulatedFile":
        """What is left when each unsynced write of a sector was lucky with this chance.

        A sector reaches the disk as programs see it at that time: with what was written to it before.
        """
        content = self.durable[:]
        unlucky: dict[int, list[Write]] = {}
        for change in self.pending:
            if isinstance(change, Truncate):
                unlucky = {number: change.cut(writes) for number, writes in unlucky.items()}
            for sector in change.sectors():
                lucky = random.random() < keep
                if isinstance(sector, Truncate):
                    if lucky:
                        sector.apply(content)
                    continue
                before = unlucky.setdefault(sector.offset // SECTOR, [])
                before.append(sector)
                if lucky:
                    for write in before:
                        write.apply(content)
                    before.clear()
        return SimulatedFile(bytes(content))


Names = dict[Path, SimulatedFile | None]


class SimulatedDisk:
    """Implements jobengine.journal.files.Files."""

    def __init__(self, *, room: int | None = None, boot: int = 1) -> None:
        self.files: dict[Path, SimulatedFile] = {}
        self.calls: list[str] = []
        self.bytes_read = 0
        self.failing: dict[int, int] = {}  # number of a call → its errno
        self.short: set[int] = set()  # numbers of the writes that write half
        self.history: list[SimulatedDisk] | None = None  # one copy after each change, when wanted
        self.room = room  # bytes that all files together may have
        self.boot = boot
        self._durable_names: Names = {}
        self._pending_names: list[Names] = []
        self._open: dict[int, SimulatedFile] = {}
        self._next_descriptor = 3

    # --- what befalls it ---

    def kill(self) -> "SimulatedDisk":
        """The process is gone, the machine runs on."""
        return self._copy({file: file.copy() for file in self._all_files()})

    def crash(self, random: Random, *, keep: float = 0.5) -> "SimulatedDisk":
        """The machine is gone, and comes back."""
        names = dict(self._durable_names)
        for renamed in self._pending_names:
            if random.random() < keep:
                names.update(renamed)
        disk = SimulatedDisk(room=self.room, boot=self.boot + 1)
        disk.files = {
            path: file.after_crash(random, keep) for path, file in names.items() if file is not None
        }
        disk._durable_names = dict(disk.files)
        return disk

    def put(self, path: Path, content: bytes) -> None:
        """Let this file be there, on disk."""
        self.files[path] = self._durable_names[path] = SimulatedFile(content)

    def content(self, path: Path) -> bytes:
        """What programs see of a file."""
        return bytes(self.files[path].seen)

    # --- the calls ---

    def open(self, path: Path, *, create: bool = False) -> int:
        self._call("open")
        if path not in self.files:
            if not create:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            self._name({path: SimulatedFile()})
        self._next_descriptor += 1
        self._open[self._next_descriptor] = self.files[path]
        return self._next_descriptor

    def close(self, file: int) -> None:
        self._open.pop(file).locked = False

    def read(self, file: int, length: int, offset: int) -> bytes:
        self._call("read")
        data = bytes(self._open[file].seen[offset : offset + length])
        self.bytes_read += len(data)
        return data

    def write(self, file: int, data: bytes | memoryview, offset: int) -> int:
        number = self._call("write")
        data = bytes(data)
        if number in self.short:
            data = data[: len(data) // 2]
        if self.room is not None:
            data = data[: self._room_for(self._open[file], offset, len(data))]
        self._open[file].change(Write(offset, data))
        self._remember()
        return len(data)

    def truncate(self, file: int, length: int) -> None:
        self._call("truncate")
        self._open[file].change(Truncate(length))
        self._remember()

    def sync(self, file: int) -> None:
        try:
            self._call("sync")
        except OSError:
            self._open[file].fail_to_sync()
            raise
        self._open[file].sync()
        self._remember()

    def sync_directory(self, path: Path) -> None:
        self._call("sync_directory")
        self._durable_names = dict(self.files)
        self._pending_names.clear()
        self._remember()

    def size(self, file: int) -> int:
        self._call("size")
        return len(self._open[file].seen)

    def lock(self, file: int) -> bool:
        self._call("lock")
        if self._open[file].locked:
            return False
        self._open[file].locked = True
        return True

    def exists(self, path: Path) -> bool:
        self._call("exists")
        return path in self.files

    def rename(self, old: Path, new: Path) -> None:
        self._call("rename")
        self._name({new: self.files[old], old: None})
        self._remember()

    def link(self, old: Path, new: Path) -> None:
        self._call("link")
        self._name({new: self.files[old]})
        self._remember()

    def names(self, directory: Path) -> list[str]:
        self._call("names")
        return [path.name for path in self.files if path.parent == directory]

    def remove(self, path: Path) -> None:
        self._call("remove")
        self._name({path: None})
        self._remember()

    def free_bytes(self, directory: Path) -> int:
        self._call("free_bytes")
        return 1 << 40 if self.room is None else self.room - self._used()

    def boot_id(self) -> bytes:
        return self.boot.to_bytes(16)

    # --- behind them ---

    def _call(self, name: str) -> int:
        """Count a call, or let it fail."""
        number = len(self.calls)
        self.calls.append(name)
        if number in self.failing:
            raise OSError(self.failing[number], os.strerror(self.failing[number]))
        return number

    def _name(self, names: Names) -> None:
        self._pending_names.append(names)
        for path, file in names.items():
            if file is None:
                del self.files[path]
            else:
                self.files[path] = file

    def _used(self) -> int:
        return sum(len(file.seen) for file in self.files.values())

    def _room_for(self, file: SimulatedFile, offset: int, length: int) -> int:
        assert self.room is not None
        there = max(0, len(file.seen) - offset)
        possible = min(length, there + max(0, self.room - self._used()))
        if length and not possible:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return possible

    def _remember(self) -> None:
        if self.history is not None:
            self.history.append(self.kill())

    def _all_files(self) -> set[SimulatedFile]:
        named = [file for names in self._pending_names for file in names.values()]
        return {file for file in (*self.files.values(), *self._durable_names.values(), *named) if file}

    def _copy(self, copies: dict[SimulatedFile, SimulatedFile]) -> "SimulatedDisk":
        def copied(names: Names) -> Names:
            return {path: file and copies[file] for path, file in names.items()}

        disk = SimulatedDisk(room=self.room, boot=self.boot)
        disk.files = {path: copies[file] for path, file in self.files.items()}
        disk._durable_names = copied(self._durable_names)
        disk._pending_names = [copied(names) for names in self._pending_names]
        return disk
