"""The journal: all that ever changed, on disk. The only door of this room."""

import asyncio
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from jobengine.errors import Fatal, InputOutputFailed, StorageFull, Unavailable
from jobengine.journal.blobs import BlobReader, parts_of
from jobengine.journal.codec import body_of
from jobengine.journal.commit import Batch, GroupCommit, Run
from jobengine.journal.compaction import Compaction
from jobengine.journal.files import NO_ROOM, REAL_FILES, Files, new_path
from jobengine.journal.frame import FrameSealer, FrameType
from jobengine.journal.keys import Secret
from jobengine.journal.opening import Opened, Opening
from jobengine.journal.recovery import Replay
from jobengine.model.changes import Change
from jobengine.model.job import Blob

_ANCHOR_SYNC_SECONDS: Final = 1.0
_COMPACTION_MARGIN_BYTES: Final = 16 * 1024 * 1024


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _unobserved(records: int, seconds: float) -> None:
    """Nobody measures."""


class Journal:
    """The database file, open and locked. `start` it before anything is appended; `close` it in the end."""

    def __init__(self, opened: Opened, files: Files, path: Path, secret: Secret) -> None:
        self.report = opened.report
        self.last_time = opened.tail.place.time  # ms, of the newest frame, or 0
        self.commits = 0
        self.records = 0
        self._header = opened.header
        self._descriptors = opened.descriptors
        self._tail = opened.tail
        self._encoder = opened.encoder
        self._blobs = BlobReader(files, opened.file, opened.sealer)
        self._files = files
        self._path = path
        self._secret = secret
        self._now: Callable[[], int] = _wall_ms  # until the broker's clock runs
        self._commit: GroupCommit | None = None
        self._failure: Fatal | None = None
        self._anchor_sync: asyncio.TimerHandle | None = None

    @classmethod
    def open(
        cls,
        path: Path,
        secret: Secret,
        *,
        replay: Replay,
        files: Files = REAL_FILES,
        wall_ms: Callable[[], int] = _wall_ms,
    ) -> "Journal":
        """Open the file, or make it; replay every change in it, frame by frame, in order.

        Raises Locked, WrongSecret, Damaged, InputOutputFailed. `report` says what was found and mended.
        """
        path = Path(os.path.realpath(path))
        with _system_errors(f"opening {path}"):
            return cls(Opening(files, path, secret, wall_ms=wall_ms).run(replay), files, path, secret)

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._tail.place.end

    def start(
        self,
        *,
        now: Callable[[], int],
        on_rollback: Callable[[int], object],
        on_failure: Callable[[Fatal], object],
        observe: Callable[[int, float], object] = _unobserved,
    ) -> None:
        """Begin to take changes, on the running loop.

        `now` gives the times of frames, in ms. `on_rollback` is told, before anyone else, that the newest so
        many appends never came to be: the disk is full. `on_failure` is told that it is over: nobody knows
        what the disk holds. `observe` is told of each commit its records and its seconds.
        """
        self._now = now
        self._commit = GroupCommit(
            prepare=self._prepare,
            on_rollback=on_rollback,
            on_failure=partial(self._failed, on_failure),
            observe=partial(self._committed, observe),
        )

    def append(self, changes: Sequence[Change]) -> asyncio.Future[None]:
        """Take the next place; the future is done when these changes are on disk.

        It fails with StorageFull when they are undone, with OutcomeUnknown when nobody knows.
        """
        return self._running.append(self._encoder.encode(changes), len(changes))

    @property
    def in_flight(self) -> int:
        """How many appends are not on disk yet."""
        return self._running.in_flight

    def barrier(self) -> asyncio.Future[None] | None:
        """Done when all that was appended so far is on disk; None when it is. Fails as `append` does."""
        return None if self._commit is None else self._commit.barrier()

    async def write_blob(self, value: bytes) -> Blob:
        """Put a big value into the file. The next compaction forgets it unless a change has named it."""
        digest = hashlib.sha256()
        offsets: list[int] = []
        for part in parts_of(value):
            digest.update(part)
            await self._running.alone(partial(self._prepare_blob, part, offsets))
        return Blob(len(value), digest.digest(), tuple(offsets))

    def read_blob(self, blob: Blob) -> bytes:
        """A big value, as it was written. Blocks; any thread may call it.

        Raises Damaged, InputOutputFailed.
        """
        with _system_errors("reading the database file"):
            return self._blobs.read(blob)

    def worth_compacting(self, live_bytes: int, *, above_bytes: int, live_ratio: float) -> bool:
        """Is the file that large, and that little of it still in use?"""
        return self.size > above_bytes and live_bytes < live_ratio * self.size

    def compact(self, snapshot: Iterable[Change], *, live_bytes: int) -> bool:
        """Before `start`: let the file hold these changes and nothing else, then give it up: open it anew.

        False when the disk has no room for that: then all is as before. Raises Damaged, InputOutputFailed.
        """
        with _system_errors("compacting the database file"):
            if self._files.free_bytes(self._path.parent) < live_bytes + _COMPACTION_MARGIN_BYTES:
                return False
            try:
                self._compact(snapshot)
            except OSError as error:
                if error.errno not in NO_ROOM:
                    raise
                self._files.remove(new_path(self._path))
                return False
            self._descriptors.close()
            return True

    async def close(self) -> None:
        """Finish what was appended, seal the file, and give it up. Raises InputOutputFailed."""
        with self._descriptors:
            if self._commit is not None:
                await self._commit.close()
            if self._anchor_sync is not None:
                self._anchor_sync.cancel()
            if self._failure is None:
                with _system_errors("closing the database file"):
                    self._seal()

    @property
    def _running(self) -> GroupCommit:
        if self._commit is None:
            raise Unavailable("the journal is not started")
        return self._commit

    def _prepare(self, batch: Batch) -> Run:
        body = body_of(batch.parts, batch.records)
        return partial(self._tail.write, self._tail.seal(FrameType.CHANGES, body, time=self._now()))

    def _prepare_blob(self, part: bytes, offsets: list[int]) -> Run:
        frame = self._tail.seal(FrameType.BLOB, part, time=self._now())
        offsets.append(frame.offset)
        return partial(self._tail.write, frame)

    def _committed(self, observe: Callable[[int, float], object], records: int, seconds: float) -> None:
        self.commits += 1
        self.records += records
        observe(records, seconds)
        if self._anchor_sync is None:
            loop = asyncio.get_running_loop()
            self._anchor_sync = loop.call_later(_ANCHOR_SYNC_SECONDS, self._sync_anchor)

    def _sync_anchor(self) -> None:
        self._anchor_sync = None
        self._running.alone(lambda: self._tail.sync_anchor)

    def _failed(self, on_failure: Callable[[Fatal], object], failure: Fatal) -> None:
        self._failure = failure
        on_failure(failure)

    def _seal(self) -> None:
        try:
            self._tail.write(self._tail.seal(FrameType.SEAL, b"", time=0))
            self._tail.establish(clean=True)
        except StorageFull:
            return  # without a seal the next start writes the last frame again, that is all

    def _compact(self, snapshot: Iterable[Change]) -> None:
        place = self._tail.place
        header = self._header.successor(self._secret, created=place.time, sequence=place.sequence)
        sealer = FrameSealer(header.unlock(self._secret))
        Compaction(self._files, self._path, self._blobs).run(header, sealer, snapshot, time=place.time)


@contextmanager
def _system_errors(doing: str) -> Iterator[None]:
    """What the system refuses, in our words."""
    try:
        yield
    except OSError as error:
        raise InputOutputFailed(f"{doing} failed: {error.strerror}") from error
