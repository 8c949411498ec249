"""What the database file may hold after a crash: all that was acknowledged, and no hole."""

import asyncio
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from jobengine.journal.journal import Journal
from jobengine.model.blob import Blob
from jobengine.model.changes import Change, PutJob
from jobengine.model.job import Job
from jobengine.model.queue import Queue
from tests.journal.scenes import Book

Held = tuple[dict[str, Queue], dict[str, Job]]


class Oracle:
    """Every state that there ever was, in order, and up to which one callers have been answered."""

    def __init__(self) -> None:
        self.acknowledged = 0  # number of the newest state that somebody was told of
        self.states: list[Held] = [({}, {})]
        self._book = Book()

    def appended(self, changes: Sequence[Change], stored: asyncio.Future[None]) -> None:
        """These come next; they are acknowledged once the future is done."""
        self._book.apply([_placeless(change) for change in changes])
        self.states.append((dict(self._book.queues), dict(self._book.jobs)))
        number = len(self.states) - 1
        stored.add_done_callback(lambda _: self._acknowledge(number))

    def held(self, book: Book) -> Held:
        """A state as a start has found it, to be compared."""
        return book.queues, {uid: placeless(job) for uid, job in book.jobs.items()}

    def _acknowledge(self, number: int) -> None:
        self.acknowledged = number


class WatchedJournal:
    """A journal that tells the oracle what is appended to it."""

    def __init__(self, journal: Journal, oracle: Oracle) -> None:
        self._journal = journal
        self._oracle = oracle

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    def append(
        self, changes: Sequence[Change], copies: Sequence[Change] | None = None
    ) -> asyncio.Future[None]:
        """Append, and tell."""
        stored = self._journal.append(changes, copies)
        self._oracle.appended(changes, stored)
        return stored


def placeless(job: Job) -> Job:
    """The job, wherever its content stands."""
    content = job.content
    return (
        replace(job, content=Blob(content.length, content.digest, ())) if isinstance(content, Blob) else job
    )


def _placeless(change: Change) -> Change:
    return PutJob(placeless(change.job)) if isinstance(change, PutJob) else change
