"""Compaction while the broker serves: every job is copied to a new file, in turns that nobody notices."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from jobengine.engine.interface import Compacted
from jobengine.engine.walk import Walk
from jobengine.errors import Damaged, StorageFull, Unavailable
from jobengine.journal.journal import Journal
from jobengine.journal.successor import Successor
from jobengine.journal.summary import live_bytes
from jobengine.model.blob import Blob
from jobengine.model.changes import Change
from jobengine.model.job import Job
from jobengine.model.ledger import Ledger, Undo

TURN_MOST: Final = 250  # jobs: about a millisecond
REST: Final = 2.5  # times as long as a turn took: the requests have the rest of the time


class Compaction:
    """One compaction. It is told of every change, and can be given up at any time."""

    def __init__(self, ledger: Ledger, journal: Journal) -> None:
        self._ledger = ledger
        self._journal = journal
        self._walk: Walk | None = None  # until the new file is in place
        self._is_complete = False  # everything was walked, and nothing is apart: it follows every change
        self._end: Unavailable | StorageFull | None = None
        self._done = asyncio.Event()

    async def run(self, new_secret: str | None = None) -> Compacted:
        """Raises StorageFull, Unavailable, Damaged, ConfigurationWrong: then the old file stays in use."""
        started, before = time.monotonic(), self._journal.size
        try:
            successor = await self._journal.succession.begin(
                live_bytes=live_bytes(self._ledger.totals), new_secret=new_secret
            )
            try:
                await self._fill(successor)
            except StorageFull as full:  # perhaps a change that it waited for had no room
                raise self._end or full from None
            finally:
                self._walk = None
                await self._journal.succession.abandon(successor)
        finally:
            self._done.set()
        seconds = time.monotonic() - started
        return Compacted(before, self._journal.size, seconds, self._journal.sequence)

    def copies(self, changes: Sequence[Change], undo: Undo) -> list[Change] | None:
        """What of these changes, just made, the new file needs; None when there is none."""
        if self._walk is None:
            return None
        return list(changes) if self._is_complete else self._walk.copies(changes, undo)

    def give_up(self, reason: Unavailable | StorageFull) -> None:
        """Do without a new file, as soon as can be."""
        self._end = reason

    async def ended(self) -> None:
        """Wait until it is over, one way or the other."""
        await self._done.wait()

    async def _fill(self, successor: Successor) -> None:
        walk = self._walk = Walk(self._ledger)
        # The walk finds in memory what they did. They must not come behind it, in the new file.
        earlier = self._journal.barrier()
        successor.take(walk.start())
        started = time.monotonic()
        while (changes := walk.next(TURN_MOST)) is not None:
            taken = self._journal.succession.follow(changes, successor)
            await asyncio.sleep((time.monotonic() - started) * REST)
            if taken is not None:
                await taken
            if successor.is_full:
                await self._journal.succession.flush(successor)
            self._go_on()
            started = time.monotonic()
        if earlier is not None:
            await earlier
        await self._fetch_apart(walk, successor)
        async with self._journal.quiet():
            await self._finish(walk, successor)

    async def _finish(self, walk: Walk, successor: Successor) -> None:
        is_in_place = False
        while not is_in_place:
            await self._fetch_apart(walk, successor)
            # What was found in memory must be on disk: else a full disk, or a crash, could undo half of it.
            if (found := self._journal.barrier()) is not None:
                await found
            is_in_place = await self._journal.succession.install(
                successor, is_ready=lambda: self._completes(walk)
            )

    def _completes(self, walk: Walk) -> bool:
        self._is_complete = self._end is None and not walk.has_apart
        return self._is_complete

    async def _fetch_apart(self, walk: Walk, successor: Successor) -> None:
        """Copy the jobs that the walk did not take along, with their big values."""
        self._go_on()
        while (job := walk.next_apart) is not None:
            places = successor.encoder.places
            missing = next((blob for blob in walk.blobs_of(job) if not places.knows(blob)), None)
            if missing is not None:
                await self._copy_value(job, missing, successor)
            elif (taken := self._journal.succession.follow(walk.fetch(job), successor)) is not None:
                await taken
            if successor.is_full:
                await self._journal.succession.flush(successor)
            self._go_on()

    async def _copy_value(self, job: Job, value: Blob, successor: Successor) -> None:
        try:
            await self._journal.succession.copy_blob(value, successor)
        except Damaged as error:
            raise Damaged(f"job {job.uid} of queue {job.queue}: {error.detail}") from None

    def _go_on(self) -> None:
        if self._end is not None:
            raise self._end
