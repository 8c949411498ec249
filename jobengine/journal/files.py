"""The few file calls that the journal makes, behind one interface so that tests can fail each of them."""

import errno
import fcntl
import os
from pathlib import Path
from typing import Final, Protocol

MODE: Final = 0o600
_OLD: Final = ".old-"

# A write that ends with one of these left the disk as it was, but for a part that can be cut off again.
NO_ROOM: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


class Files(Protocol):
    """File calls. Each raises OSError as the system does; a file is known by its descriptor."""

    def open(self, path: Path, *, create: bool = False) -> int:
        """Open for reading and writing; with `create` make it, mode 0600, when it is not there."""
        ...

    def close(self, file: int) -> None:
        """Give the descriptor back."""
        ...

    def read(self, file: int, length: int, offset: int) -> bytes:
        """At most so many bytes from there; fewer mean little, none means the end."""
        ...

    def write(self, file: int, data: bytes | memoryview, offset: int) -> int:
        """Write there; returns how many bytes of it were written."""
        ...

    def truncate(self, file: int, length: int) -> None:
        """Cut the file to this length."""
        ...

    def sync(self, file: int) -> None:
        """Return when all of it is on disk (fdatasync)."""
        ...

    def sync_directory(self, path: Path) -> None:
        """Return when the names in this directory are on disk."""
        ...

    def size(self, file: int) -> int:
        """Its length in bytes."""
        ...

    def lock(self, file: int) -> bool:
        """Take the lock of this file for as long as it is open; False when another has it."""
        ...

    def exists(self, path: Path) -> bool:
        """Is there such a file?"""
        ...

    def rename(self, old: Path, new: Path) -> None:
        """Put `old` in the place of `new`."""
        ...

    def link(self, old: Path, new: Path) -> None:
        """Give the file a second name."""
        ...

    def names(self, directory: Path) -> list[str]:
        """The names of the files in this directory."""
        ...

    def remove(self, path: Path) -> None:
        """Take the name away."""
        ...

    def free_bytes(self, directory: Path) -> int:
        """How many bytes this user may still write there."""
        ...

    def boot_id(self) -> bytes:
        """16 bytes that stay the same until the machine starts anew."""
        ...


class RealFiles:
    """The file calls of the system."""

    def open(self, path: Path, *, create: bool = False) -> int:
        """Open for reading and writing; with `create` make it, mode 0600, when it is not there."""
        return os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0), MODE)

    def close(self, file: int) -> None:
        """Give the descriptor back."""
        os.close(file)

    def read(self, file: int, length: int, offset: int) -> bytes:
        """At most so many bytes from there."""
        return os.pread(file, length, offset)

    def write(self, file: int, data: bytes | memoryview, offset: int) -> int:
        """Write there; returns how many bytes of it were written."""
        return os.pwrite(file, data, offset)

    def truncate(self, file: int, length: int) -> None:
        """Cut the file to this length."""
        os.ftruncate(file, length)

    def sync(self, file: int) -> None:
        """Return when all of it is on disk."""
        os.fdatasync(file)

    def sync_directory(self, path: Path) -> None:
        """Return when the names in this directory are on disk."""
        directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def size(self, file: int) -> int:
        """Its length in bytes."""
        return os.fstat(file).st_size

    def lock(self, file: int) -> bool:
        """Take the lock of this file for as long as it is open; False when another has it."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def exists(self, path: Path) -> bool:
        """Is there such a file?"""
        return path.exists()

    def rename(self, old: Path, new: Path) -> None:
        """Put `old` in the place of `new`."""
        old.replace(new)

    def link(self, old: Path, new: Path) -> None:
        """Give the file a second name."""
        new.hardlink_to(old)

    def names(self, directory: Path) -> list[str]:
        """The names of the files in this directory."""
        return [path.name for path in directory.iterdir()]

    def remove(self, path: Path) -> None:
        """Take the name away."""
        path.unlink()

    def free_bytes(self, directory: Path) -> int:
        """How many bytes this user may still write there."""
        status = os.statvfs(directory)
        return status.f_bavail * status.f_frsize

    def boot_id(self) -> bytes:
        """16 bytes that stay the same until the machine starts anew."""
        text = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        return bytes.fromhex(text.strip().replace("-", ""))


REAL_FILES: Final = RealFiles()


def reason_of(error: OSError) -> str:
    """What the system says, and the way out where there is one."""
    reason = error.strerror or type(error).__name__
    way_out = "; run it as the user that the database and its directory belong to"
    return reason + way_out if isinstance(error, PermissionError) else reason


def beside(path: Path, suffix: str) -> Path:
    """The file that stands next to the database file under its name and this suffix."""
    return path.with_name(path.name + suffix)


def new_path(path: Path) -> Path:
    """Where a file stands that is to take the place of this one."""
    return beside(path, ".new")


def old_path(path: Path, sequence: int) -> Path:
    """Where a file is kept that was replaced when it had come to this sequence."""
    return beside(path, f"{_OLD}{sequence:016d}")


def old_paths(files: Files, path: Path) -> list[Path]:
    """The files that were replaced and are kept, the oldest first."""
    start = path.name + _OLD
    return sorted(path.with_name(name) for name in files.names(path.parent) if name.startswith(start))


def write_all(files: Files, file: int, data: bytes, offset: int) -> None:
    """Write until all bytes are down: short writes are normal."""
    written = files.write(file, data, offset)
    while written < len(data):
        some = files.write(file, memoryview(data)[written:], offset + written)
        if not some:
            raise OSError(errno.EIO, "a write wrote nothing")
        written += some


def read_all(files: Files, file: int, length: int, offset: int) -> bytes:
    """Read so many bytes from there; fewer only at the end of the file."""
    data = files.read(file, length, offset)
    while len(data) < length and (more := files.read(file, length - len(data), offset + len(data))):
        data += more
    return data


def copy(files: Files, source: int, target: int, length: int) -> None:
    """Copy the first so many bytes of one file to another, in pieces."""
    for offset in range(0, length, 1 << 20):
        write_all(files, target, read_all(files, source, min(1 << 20, length - offset), offset), offset)


def make_new(files: Files, path: Path) -> int:
    """An empty file beside the database file, to be renamed when it is complete."""
    if files.exists(path):
        files.remove(path)  # left over from an attempt that a crash ended
    return files.open(path, create=True)
