"""The journal: all that ever changed, on disk. The only door of this room."""

import asyncio
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from jobengine.errors import Fatal, InputOutputFailed, StorageFull, Unavailable
from jobengine.journal.batch import Batch, Run
from jobengine.journal.blobs import parts_of
from jobengine.journal.codec import body_of
from jobengine.journal.commit import GroupCommit
from jobengine.journal.compaction import Gate
from jobengine.journal.files import REAL_FILES, Files, reason_of
from jobengine.journal.frame import FrameType
from jobengine.journal.keys import Secret
from jobengine.journal.opening import Opened, Opening
from jobengine.journal.recovery import Replay
from jobengine.journal.scrub import Scrub
from jobengine.journal.succession import Succession
from jobengine.journal.volume import Volume
from jobengine.model.blob import Blob
from jobengine.model.changes import AlterJob, AppendLog, Change, MoveJob, PutJob
from jobengine.model.job import memory_of, memory_of_extra

_ANCHOR_SYNC_SECONDS: Final = 1.0
_RECORD_BYTES: Final = 150  # about, but for its content


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _unobserved(records: int, seconds: float) -> None:
    """Nobody measures."""


class Journal:
    """The database file, open and locked. `start` it before anything is appended; `close` it in the end."""

    def __init__(
        self, opened: Opened, files: Files, path: Path, secret: Secret, *, keep_old_files: int
    ) -> None:
        self.report = opened.report
        self.last_time = opened.tail.place.time  # ms, of the newest frame, or 0
        self.commits = 0
        self.records = 0
        self.succession = Succession(
            files,
            path,
            secret,
            Volume(files, opened.file, opened.header, opened.sealer, opened.tail, opened.encoder),
            commits=lambda: self._running,
            now=self._now,
            keep_old_files=keep_old_files,
        )
        self._lock = opened.lock
        self._files = files
        self._path = path
        self._is_closed = False
        self._gate = Gate()
        self._clock: Callable[[], int] = _wall_ms  # until the broker's clock runs
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
        keep_old_files: int = 0,
    ) -> "Journal":
        """Open the file, or make it; replay every change in it, frame by frame, in order.

        Raises Locked, WrongSecret, Damaged, InputOutputFailed. `report` says what was found and mended.
        """
        path = Path(os.path.realpath(path))
        with _system_errors(f"opening {path}"):
            opened = Opening(files, path, secret, wall_ms=wall_ms).run(replay)
            return cls(opened, files, path, secret, keep_old_files=keep_old_files)

    @property
    def sequence(self) -> int:
        """Of the last frame."""
        return self._volume.tail.place.sequence

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._volume.tail.place.end

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
        self._clock = now
        self._commit = GroupCommit(
            prepare=self._prepare,
            on_rollback=on_rollback,
            on_failure=partial(self._failed, on_failure),
            observe=partial(self._committed, observe),
        )

    def check(self) -> None:
        """Raises what `append` would fail with at once: Unavailable while the disk hangs, OutcomeUnknown."""
        self._running.check()

    def append(
        self, changes: Sequence[Change], copies: Sequence[Change] | None = None
    ) -> asyncio.Future[None]:
        """Take the next place; the future is done when these changes are on disk.

        `copies` are those of them that the successor needs, while there is one that is not complete yet.
        The future fails with StorageFull when they are undone, with OutcomeUnknown when nobody knows.
        """
        size = sum(map(_size, changes))
        if copies is None:
            return self._running.append(changes, size, copies=changes)
        return self._running.append(changes, size, copies=copies, successor=self.succession.successor)

    @property
    def is_writing(self) -> bool:
        """Whether something is being written, or waits to be."""
        return self._running.is_writing

    @property
    def in_flight(self) -> int:
        """How many appends are not on disk yet."""
        return self._running.in_flight

    @property
    def stalled(self) -> str | None:
        """Why nothing is taken now: the disk has not answered for long. None when it does."""
        return None if self._commit is None else self._commit.stalled

    def barrier(self) -> asyncio.Future[None] | None:
        """Done when all that was appended so far is on disk; None when it is. Fails as `append` does."""
        return None if self._commit is None else self._commit.barrier()

    async def write_blob(self, value: bytes) -> Blob:
        """Put a big value into the file, within `blob_writes`. A compaction forgets what no change names."""
        digest = hashlib.sha256()
        offsets: list[int] = []
        generation = self._volume.encoder.places.generation
        for part in parts_of(value):
            digest.update(part)
            await self._running.alone(partial(self._prepare_blob, part, offsets), is_patient=False)
        return Blob(len(value), digest.digest(), tuple(offsets), generation)

    def blob_writes(self) -> AbstractAsyncContextManager[None]:
        """In here a big value is written, and the change that names it: no other file comes in between."""
        return self._gate.passing()

    def read_blob(self, blob: Blob) -> bytes:
        """A big value, as it was written. Blocks; any thread may call it.

        Raises Damaged, InputOutputFailed.
        """
        with _system_errors("reading the database file"):
            while (value := self._volume.read(blob)) is None:
                if self._is_closed:
                    raise Unavailable("the journal is closed")
                # Another file has just taken the place of that one.
            return value

    def free_bytes(self) -> int:
        """How many bytes may still be written beside the file. Blocks. Raises InputOutputFailed."""
        with _system_errors("asking for the free space of the disk"):
            return self._files.free_bytes(self._path.parent)

    def scrub(self) -> Scrub:
        """A slow reading of the file, on any thread."""
        volume = self._volume
        return volume.scrub(is_current=lambda: self._volume is volume)

    def quiet(self) -> AbstractAsyncContextManager[None]:
        """While this lasts no big value is written."""
        return self._gate.closed()

    async def close(self) -> None:
        """Finish what was appended, seal the file, and give it up. Raises InputOutputFailed."""
        with self._lock:
            if self._commit is not None:
                await self._commit.close()
            if self._anchor_sync is not None:
                self._anchor_sync.cancel()
            if self._failure is None:
                with _system_errors("closing the database file"):
                    self._seal()
            self._is_closed = True
            self._volume.retire()

    def _now(self) -> int:
        return self._clock()

    @property
    def _volume(self) -> Volume:
        """The file in use."""
        return self.succession.volume

    @property
    def _running(self) -> GroupCommit:
        if self._commit is None:
            raise Unavailable("the journal is not started")
        return self._commit

    def _prepare(self, batch: Batch) -> Run:
        changes, volume = self.succession.share_out(batch), self._volume
        body = body_of(volume.encoder.encode(changes), len(changes))
        return partial(volume.tail.write, volume.tail.seal(FrameType.CHANGES, body, time=self._now()))

    def _prepare_blob(self, part: bytes, offsets: list[int]) -> Run:
        tail = self._volume.tail
        frame = tail.seal(FrameType.BLOB, part, time=self._now())
        offsets.append(frame.offset)
        return partial(tail.write, frame)

    def _committed(self, observe: Callable[[int, float], object], records: int, seconds: float) -> None:
        self.commits += 1
        self.records += records
        observe(records, seconds)
        if self._anchor_sync is None:
            loop = asyncio.get_running_loop()
            self._anchor_sync = loop.call_later(_ANCHOR_SYNC_SECONDS, self._sync_anchor)

    def _sync_anchor(self) -> None:
        self._anchor_sync = None
        self._running.alone(lambda: self._volume.tail.sync_anchor)

    def _failed(self, on_failure: Callable[[Fatal], object], failure: Fatal) -> None:
        self._failure = failure
        on_failure(failure)

    def _seal(self) -> None:
        try:
            tail = self._volume.tail
            tail.write(tail.seal(FrameType.SEAL, b"", time=self._now()))
            tail.establish(clean=True)
        except StorageFull:
            return  # without a seal the next start writes the last frame again, that is all


@contextmanager
def _system_errors(doing: str) -> Iterator[None]:
    """What the system refuses, in our words."""
    try:
        yield
    except FileNotFoundError as error:  # files are made where there are none
        raise InputOutputFailed(f"{doing} failed: its directory is not there; make that first") from error
    except OSError as error:
        raise InputOutputFailed(f"{doing} failed: {reason_of(error)}") from error


def _size(change: Change) -> int:
    """About how many bytes its record has."""
    match change:
        case MoveJob():
            return _RECORD_BYTES
        case PutJob():
            return _RECORD_BYTES + memory_of(change.job)
        case AlterJob(_, extra) if extra is not None:
            return _RECORD_BYTES + memory_of_extra(extra)
        case AppendLog(_, _, _, chunk) if isinstance(chunk.data, bytes):
            return _RECORD_BYTES + len(chunk.data)
        case _:
            return _RECORD_BYTES
