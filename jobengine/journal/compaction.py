"""Compaction: what is live goes into a new file, which takes the place of the old one while commits go on.

A crash at any point leaves one complete file. Until the rename it is the old one, and before the rename the
new one is synced. The anchor names the old file until the new name is on disk, and the new file says which
file it was made of and how far that had come: whichever is found, the anchor fits.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from jobengine.errors import InputOutputFailed, JobEngineError, StorageFull, Unavailable
from jobengine.journal.anchor import Anchor
from jobengine.journal.batch import Run
from jobengine.journal.files import NO_ROOM, Files, beside, old_path, old_paths, reason_of
from jobengine.journal.keys import Secret
from jobengine.journal.successor import Successor
from jobengine.journal.tail import Tail
from jobengine.journal.volume import Volume

MARGIN_BYTES: Final = 16 * 1024 * 1024


class Gate:
    """A big value takes several writes. None is under way while one file takes the place of another."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._inside = 0
        self._empty = asyncio.Event()
        self._empty.set()

    @asynccontextmanager
    async def passing(self) -> AsyncIterator[None]:
        """Write in here; waits while it is closed."""
        await self._open.wait()
        self._inside += 1
        self._empty.clear()
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._empty.set()

    @asynccontextmanager
    async def closed(self) -> AsyncIterator[None]:
        """Nobody writes in the meantime."""
        self._open.clear()
        try:
            await self._empty.wait()
            yield
        finally:
            self._open.set()


class Installation:
    """The last step: the successor becomes the database file. Prepared on the event loop, run on a thread."""

    def __init__(
        self,
        files: Files,
        path: Path,
        successor: Successor,
        *,
        is_ready: Callable[[], bool],
        keep_old_files: int,
    ) -> None:
        self.volume: Volume | None = None  # once it is in place
        self._files = files
        self._path = path
        self._successor = successor
        self._is_ready = is_ready
        self._keep = keep_old_files
        self._old: Volume | None = None

    def prepare(self, old: Volume, put_in_place: Callable[[Volume], None]) -> Run:
        """What a thread must do now; nothing when it is not ready after all."""
        if not self._is_ready():
            return _nothing
        rest = self._successor.cut()

        def run() -> None:
            self._complete(rest, old.tail)
            put_in_place(self._take_over())

        self._old = old
        return run

    def tidy(self) -> None:
        """Give up the old file. Blocks for long where that is large: not for the thread that writes."""
        if self._old is not None:
            self._old.retire()
        self._remove_oldest()

    def _complete(self, rest: tuple[bytes, int], old: Tail) -> None:
        try:
            self._successor.end(*rest, of=old.place)
            old.sync_anchor()
            if self._keep:
                self._keep_old(old_path(self._path, old.place.sequence))
            self._files.sync_directory(self._path.parent)  # the old file's second name first
            self._successor.install()
        except OSError as error:
            raise given_up(error) from error

    def _keep_old(self, kept: Path) -> None:
        if self._files.exists(kept):
            self._files.remove(kept)  # left by an attempt that a crash ended
        self._files.link(self._path, kept)

    def _take_over(self) -> Volume:
        """From here on a failure is one of the database file itself."""
        successor, files = self._successor, self._files
        anchor = Anchor(
            files,
            beside(self._path, ".anchor"),
            file_id=successor.header.file_id,
            key=successor.anchor_key,
        )
        try:
            files.sync_directory(self._path.parent)
            tail = Tail(files, successor.file, anchor, successor.sealer, successor.place)
            tail.establish()
        except OSError as error:
            raise InputOutputFailed(f"replacing the database file failed: {error.strerror}") from error
        successor.is_in_place = True
        return Volume(files, successor.file, successor.header, successor.sealer, tail, successor.encoder)

    def _remove_oldest(self) -> None:
        try:
            kept = old_paths(self._files, self._path)
            for path in kept[: max(0, len(kept) - self._keep)]:
                self._files.remove(path)
        except OSError:
            return  # one file too many harms nobody; the next compaction tries again


def begin(
    files: Files, path: Path, volume: Volume, secret: Secret, *, live_bytes: int, is_rekeyed: bool, time: int
) -> Successor:
    """A successor of this file, with nothing in it. Blocks. Raises StorageFull, Unavailable."""
    needed = live_bytes + live_bytes // 8 + MARGIN_BYTES
    try:
        free = files.free_bytes(path.parent)
        if free < needed:
            raise StorageFull(f"the disk has {free >> 20} MiB free; a new file needs about {needed >> 20}")
        place = volume.tail.place
        header = volume.header.successor(secret, created=time, sequence=place.sequence, is_rekeyed=is_rekeyed)
        generation = volume.encoder.places.generation + 1
        successor = Successor(files, path, header, header.unlock(secret), generation=generation, time=time)
        successor.start()
        return successor
    except OSError as error:
        raise given_up(error) from error


def given_up(error: OSError) -> JobEngineError:
    """Why there is no new file. The old one stays in use."""
    if error.errno in NO_ROOM:
        return StorageFull("the disk has no room for a new file; the old one stays in use")
    return Unavailable(f"the new file could not be written ({reason_of(error)}); the old one stays in use")


def _nothing() -> None:
    """It was not ready."""
