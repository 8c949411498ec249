"""A database file that is only looked at: no lock is taken, nothing is written, a server may be using it."""

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from jobengine.errors import Fatal, InputOutputFailed, WrongSecret
from jobengine.journal.anchor import Anchor, Mark
from jobengine.journal.blobs import BlobPlaces, BlobReader
from jobengine.journal.files import Files, RealFiles, beside, read_all, reason_of
from jobengine.journal.frame import FrameSealer
from jobengine.journal.header import FRAMES_START, Header, read_header
from jobengine.journal.keys import Keys, Secret

_LOCKS: Final = Path("/proc/locks")
_PAUSE_SECONDS: Final = 0.2


def pause() -> None:
    """Let a moment pass, so that what a server is writing becomes whole."""
    time.sleep(_PAUSE_SECONDS)


def at_rest() -> None:
    """Nobody writes: there is nothing to wait for."""


_PAGE_BYTES: Final = 4096
_UNREADABLE: Final = b"\xff"


class ReadingFiles(RealFiles):
    """The file calls of the system, for one who may only read."""

    def open(self, path: Path, *, create: bool = False) -> int:  # noqa: ARG002 - nothing is made here
        """Open for reading only."""
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def read(self, file: int, length: int, offset: int) -> bytes:
        """Read what the disk can read; in the place of a page that it cannot stand bytes that prove nothing.

        They are no zeros: those at the end of a file would look like a torn write.
        """
        try:
            return super().read(file, length, offset)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
        page = min(length, _PAGE_BYTES - offset % _PAGE_BYTES, max(0, os.fstat(file).st_size - offset))
        try:
            return super().read(file, page, offset)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
        return _UNREADABLE * page


READING_FILES: Final = ReadingFiles()


class Reading(Struct, frozen=True):
    """A file that is open for reading, and what its first bytes and its anchor say."""

    files: Files
    path: Path
    file: int
    size: int  # when it was opened; a server may add to it
    header: Header
    damaged_copies: tuple[int, ...]  # offsets of the copies of the header that are not whole
    keys: Keys
    sealer: FrameSealer
    mark: Mark | None
    pause: Callable[[], object]  # before bad bytes at the end are looked at again

    @property
    def blobs(self) -> BlobReader:
        """Fetches the big values of this file."""
        return BlobReader(self.files, self.file, self.sealer, BlobPlaces())

    @property
    def is_of_another_file(self) -> bool:
        """Whether the anchor belongs to a file that this one was not made of."""
        known = (self.header.file_id, self.header.parent.file_id)
        return self.mark is not None and self.mark.file_id not in known

    def is_in_place(self) -> bool:
        """False once a compaction has put another file in its place."""
        with ExitStack() as descriptors:
            file = open_file(self.files, self.path, descriptors)
            header, _ = read_header(read_all(self.files, file, FRAMES_START, 0))
        return header.file_id == self.header.file_id


def plain_header(data: bytes, secret: Secret) -> tuple[Header, dict[int, bytes]]:  # noqa: ARG001 - others use it
    """The header, when at least one copy of it is whole. Raises Damaged."""
    return read_header(data)


@contextmanager
def reading(
    path: Path,
    secret: Secret,
    files: Files = READING_FILES,
    *,
    pause: Callable[[], object] = pause,
    find_header: Callable[[bytes, Secret], tuple[Header, dict[int, bytes]]] = plain_header,
) -> Iterator[Reading]:
    """The file, until the end of the block. Raises Fatal, WrongSecret, Damaged, InputOutputFailed."""
    path = Path(os.path.realpath(path))
    with ExitStack() as descriptors, system_errors(f"reading {path}"):
        file = open_file(files, path, descriptors)
        header, mends = find_header(read_all(files, file, FRAMES_START, 0), secret)
        keys = unlocked(header, secret, path)
        # Before the size: then nothing that the anchor knows of may be missing.
        mark = read_mark(files, path, header, keys)
        size, sealer = files.size(file), FrameSealer(keys)
        yield Reading(files, path, file, size, header, tuple(mends), keys, sealer, mark, pause)


def unlocked(header: Header, secret: Secret, path: Path) -> Keys:
    """The keys of a file. Raises WrongSecret, which names it."""
    try:
        return header.unlock(secret)
    except WrongSecret as refusal:
        raise WrongSecret(f"{path}: {refusal.detail}") from None


def open_file(files: Files, path: Path, descriptors: ExitStack) -> int:
    """The descriptor of a file that has to be there. Raises Fatal."""
    try:
        file = files.open(path)
    except FileNotFoundError:
        raise Fatal(f"{path}: there is no such database file; --db or DB_PATH names another one") from None
    descriptors.callback(files.close, file)
    return file


def read_mark(files: Files, path: Path, header: Header, keys: Keys) -> Mark | None:
    """What the anchor of this file says; None when there is none, or it is damaged."""
    anchor = Anchor(files, beside(path, ".anchor"), file_id=header.file_id, key=keys.anchor)
    try:
        return anchor.read()
    finally:
        anchor.close()


def is_in_use(path: Path) -> bool:
    """Whether a server holds the lock, as far as one can tell without taking it for a moment oneself."""
    try:
        status = beside(Path(os.path.realpath(path)), ".lock").stat()
        locks = _LOCKS.read_text(encoding="ascii").splitlines()
    except OSError:
        return False
    place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    return any(" FLOCK " in line and place in line.split() for line in locks)


@contextmanager
def system_errors(doing: str) -> Iterator[None]:
    """What the system refuses, in our words."""
    try:
        yield
    except OSError as error:
        raise refused_by_system(doing, error) from error


def refused_by_system(doing: str, error: OSError) -> InputOutputFailed:
    """What it says."""
    return InputOutputFailed(f"{doing} failed: {reason_of(error)}")
