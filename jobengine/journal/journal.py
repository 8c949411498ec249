"""The journal: all that ever changed, on disk. The only door of this room."""

import asyncio
import hashlib
import os
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from jobengine.errors import Fatal, InputOutputFailed, StorageFull, Unavailable
from jobengine.journal.batch import Batch, Run
from jobengine.journal.blobs import parts_of
from jobengine.journal.codec import body_of
from jobengine.journal.commit import GroupCommit
from jobengine.journal.compaction import Gate, Installation, begin, given_up
from jobengine.journal.files import REAL_FILES, Files
from jobengine.journal.frame import FrameType
from jobengine.journal.keys import Secret
from jobengine.journal.opening import Opened, Opening
from jobengine.journal.recovery import Replay
from jobengine.journal.scrub import Scrub
from jobengine.journal.successor import Successor
from jobengine.journal.volume import Volume
from jobengine.model.blob import Blob
from jobengine.model.changes import AlterJob, AppendLog, Change, MoveJob, PutJob
from jobengine.model.job import memory_of, memory_of_extra

_ANCHOR_SYNC_SECONDS: Final = 1.0
_RECORD_BYTES: Final = 150  # about, but for its content

ResultT = TypeVar("ResultT")


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
        self._volume = Volume(files, opened.file, opened.header, opened.sealer, opened.tail, opened.encoder)
        self._lock = opened.lock
        self._files = files
        self._path = path
        self._secret = secret
        self._next_secret = secret
        self._keep_old_files = keep_old_files
        self._successor: Successor | None = None
        self._has_successor = False  # or will have, once it is begun
        self._is_closed = False
        self._gate = Gate()
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
        self._now = now
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
        return self._running.append(changes, size, copies=copies, successor=self._successor)

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

    # --- compaction ---

    async def begin_successor(self, *, live_bytes: int, new_secret: str | None = None) -> Successor:
        """A new file beside this one. It gets the copies given to `append`, until `install` or `abandon`.

        Raises StorageFull, Unavailable; ConfigurationWrong for a malformed secret.
        """
        if self._has_successor:
            raise Unavailable("a compaction is under way")
        secret = self._secret if new_secret is None else Secret.parse(new_secret)
        beginning = asyncio.ensure_future(
            asyncio.to_thread(
                begin,
                *(self._files, self._path, self._volume, secret),
                live_bytes=live_bytes,
                is_rekeyed=new_secret is not None,
                time=self._now(),
            )
        )
        self._has_successor = True
        try:
            self._successor = await _to_its_end(beginning)
        except BaseException:
            if beginning.done() and not beginning.cancelled() and beginning.exception() is None:
                await self._remove(beginning.result())  # the caller was cancelled, and has no use for it
            raise
        finally:
            self._has_successor = self._successor is not None
        self._next_secret = secret
        return self._successor

    def follow(self, changes: Sequence[Change], successor: Successor) -> asyncio.Future[None] | None:
        """Give the successor what was found in memory, behind the copies of what was appended before.

        Done when it has them; None when it has them already.
        """
        return self._running.follow(changes, successor)

    async def flush(self, successor: Successor) -> None:
        """Write what the successor has taken. Raises StorageFull, Unavailable."""
        await self._for_successor(partial(successor.write, *successor.cut()))

    async def copy_blob(self, blob: Blob, successor: Successor) -> None:
        """Copy a big value into the successor. Raises Damaged, StorageFull, Unavailable."""
        copy = partial(successor.copy_blob, blob, self._volume.reader)
        successor.encoder.places.move(blob, await self._for_successor(copy))

    def quiet(self) -> AbstractAsyncContextManager[None]:
        """While this lasts no big value is written."""
        return self._gate.closed()

    async def install(self, successor: Successor, *, is_ready: Callable[[], bool]) -> bool:
        """Between two commits put the successor in the place of the file; False when it is not ready then.

        Raises StorageFull, Unavailable: the old file stays in use. After OutcomeUnknown nobody knows.
        """
        installation = Installation(
            self._files, self._path, successor, is_ready=is_ready, keep_old_files=self._keep_old_files
        )
        try:
            prepare = partial(installation.prepare, put_in_place=self._take_over)
            await _to_its_end(self._running.alone(lambda: prepare(self._volume)))
        finally:
            if successor.is_in_place:
                self._successor, self._has_successor = None, False
                await _to_its_end(asyncio.to_thread(installation.tidy))
        if successor.is_in_place and (last := self._running.barrier()) is not None:
            with suppress(StorageFull):  # whoever it was is told
                await last  # now nothing is left that knows of a successor
        return successor.is_in_place

    async def abandon(self, successor: Successor) -> None:
        """Do without the successor."""
        if self._successor is successor:
            self._successor = None
            try:
                if not successor.is_in_place:
                    await self._remove(successor)
            finally:
                self._has_successor = False

    async def _remove(self, successor: Successor) -> None:
        with suppress(OSError):  # what is left of it is removed at the next start
            await _to_its_end(asyncio.to_thread(successor.abandon))

    def _take_over(self, volume: Volume) -> None:
        """On the writer thread, between two commits."""
        self._volume, self._secret = volume, self._next_secret

    async def _for_successor(self, write: Callable[[], ResultT]) -> ResultT:
        try:
            return await _to_its_end(asyncio.to_thread(write))
        except OSError as error:
            raise given_up(error) from error

    # --- the end ---

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

    @property
    def _running(self) -> GroupCommit:
        if self._commit is None:
            raise Unavailable("the journal is not started")
        return self._commit

    def _prepare(self, batch: Batch) -> Run:
        changes, successor = batch.changes, batch.successor
        if successor is not None:
            if successor.is_in_place:
                changes = batch.copies  # it has the rest
            elif successor is self._successor:
                successor.take(batch.copies)
        volume = self._volume
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
        raise InputOutputFailed(f"{doing} failed: {error.strerror}") from error


async def _to_its_end(work: Awaitable[ResultT]) -> ResultT:
    """Wait for what cannot be interrupted: a thread that writes must not find its file closed."""
    future = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        while not future.done():
            with suppress(asyncio.CancelledError):  # once is enough
                await asyncio.wait([future])
        raise


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
