"""One file after another: the one in use, and the successor that is written beside it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from jobengine.errors import StorageFull, Unavailable
from jobengine.journal.batch import Batch
from jobengine.journal.commit import GroupCommit
from jobengine.journal.compaction import Installation, begin, given_up
from jobengine.journal.files import Files
from jobengine.journal.keys import Secret
from jobengine.journal.successor import Successor
from jobengine.journal.volume import Volume
from jobengine.model.blob import Blob
from jobengine.model.changes import Change

ResultT = TypeVar("ResultT")


class Succession:
    """`begin` a successor, fill it, and `install` it; in any case `abandon` it in the end."""

    def __init__(
        self,
        files: Files,
        path: Path,
        secret: Secret,
        volume: Volume,
        *,
        commits: Callable[[], GroupCommit],
        now: Callable[[], int],
        keep_old_files: int,
    ) -> None:
        self.volume = volume  # the file in use
        self.successor: Successor | None = None  # until it is in place
        self._files = files
        self._path = path
        self._secret = secret
        self._next_secret = secret
        self._commits = commits
        self._now = now
        self._keep_old_files = keep_old_files
        self._has_successor = False  # or will have, once it is begun

    async def begin(self, *, live_bytes: int, new_secret: str | None = None) -> Successor:
        """A new file beside the one in use. It gets the copies of what is appended from now on.

        Raises StorageFull, Unavailable; ConfigurationWrong for a malformed secret.
        """
        if self._has_successor:
            raise Unavailable("a compaction is under way")
        secret = self._secret if new_secret is None else Secret.parse(new_secret)
        beginning = asyncio.ensure_future(
            asyncio.to_thread(
                begin,
                *(self._files, self._path, self.volume, secret),
                live_bytes=live_bytes,
                is_rekeyed=new_secret is not None,
                time=self._now(),
            )
        )
        self._has_successor = True
        try:
            self.successor = await _to_its_end(beginning)
        except BaseException:
            if beginning.done() and not beginning.cancelled() and beginning.exception() is None:
                await self._remove(beginning.result())  # the caller was cancelled, and has no use for it
            raise
        finally:
            self._has_successor = self.successor is not None
        self._next_secret = secret
        return self.successor

    def follow(self, changes: Sequence[Change], successor: Successor) -> asyncio.Future[None] | None:
        """Give the successor what was found in memory, behind the copies of what was appended before.

        Done when it has them; None when it has them already.
        """
        return self._commits().follow(changes, successor)

    async def flush(self, successor: Successor) -> None:
        """Write what the successor has taken. Raises StorageFull, Unavailable."""
        await _written(partial(successor.write, *successor.cut()))

    async def copy_blob(self, blob: Blob, successor: Successor) -> None:
        """Copy a big value into the successor. Raises Damaged, StorageFull, Unavailable."""
        copy = partial(successor.copy_blob, blob, self.volume.reader)
        successor.encoder.places.move(blob, await _written(copy))

    async def install(self, successor: Successor, *, is_ready: Callable[[], bool]) -> bool:
        """Between two commits put the successor in the place of the file; False when it is not ready then.

        Raises StorageFull, Unavailable: the old file stays in use. After OutcomeUnknown nobody knows.
        """
        installation = Installation(
            self._files, self._path, successor, is_ready=is_ready, keep_old_files=self._keep_old_files
        )
        try:
            prepare = partial(installation.prepare, put_in_place=self._take_over)
            await _to_its_end(self._commits().alone(lambda: prepare(self.volume)))
        finally:
            if successor.is_in_place:
                self.successor, self._has_successor = None, False
                await _to_its_end(asyncio.to_thread(installation.tidy))
        if successor.is_in_place and (last := self._commits().barrier()) is not None:
            with suppress(StorageFull):  # whoever it was is told
                await last  # now nothing is left that knows of a successor
        return successor.is_in_place

    async def abandon(self, successor: Successor) -> None:
        """Do without the successor, unless it is in place."""
        if self.successor is successor:
            self.successor = None
            try:
                if not successor.is_in_place:
                    await self._remove(successor)
            finally:
                self._has_successor = False

    def share_out(self, batch: Batch) -> Sequence[Change]:
        """What of a batch goes into the file in use. Its successor takes the copies, while there is one."""
        successor = batch.successor
        if successor is not None:
            if successor.is_in_place:
                return batch.copies  # it has the rest
            if successor is self.successor:
                successor.take(batch.copies)
        return batch.changes

    def _take_over(self, volume: Volume) -> None:
        """On the writer thread, between two commits."""
        self.volume, self._secret = volume, self._next_secret

    async def _remove(self, successor: Successor) -> None:
        with suppress(OSError):  # what is left of it is removed at the next start
            await _to_its_end(asyncio.to_thread(successor.abandon))


async def _written(write: Callable[[], ResultT]) -> ResultT:
    try:
        return await _to_its_end(asyncio.to_thread(write))
    except OSError as error:
        raise given_up(error) from error


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
