"""What the database file may hold after a crash: all that was acknowledged, and no hole."""

import asyncio
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from jobengine.journal.journal import Journal
from jobengine.model.blob import Blob
from jobengine.model.changes import AlterJob, Change, PutJob
from jobengine.model.extra import Extra
from jobengine.model.job import Job
from jobengine.model.keys import Key
from jobengine.model.queue import Queue
from tests.journal.scenes import Book

Held = tuple[dict[str, Queue], dict[str, Job], dict[bytes, Key]]


class Oracle:
    """Every state that there ever was, in order, and up to which one callers have been answered."""

    def __init__(self) -> None:
        self.acknowledged = 0  # number of the newest state that somebody was told of
        self.states: list[Held] = [({}, {}, {})]
        self._book = Book()

    def appended(self, changes: Sequence[Change], stored: asyncio.Future[None]) -> None:
        """These come next; they are acknowledged once the future is done."""
        self._book.apply([_placeless(change) for change in changes])
        self.states.append((dict(self._book.queues), dict(self._book.jobs), _keys(self._book)))
        number = len(self.states) - 1
        stored.add_done_callback(lambda _: self._acknowledge(number))

    def held(self, book: Book) -> Held:
        """A state as a start has found it, to be compared."""
        return book.queues, {uid: placeless(job) for uid, job in book.jobs.items()}, _keys(book)

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


def _keys(book: Book) -> dict[bytes, Key]:
    return {key.hash: key for key in book.keys.behind(0, len(book.keys))}


def placeless(job: Job) -> Job:
    """The job, wherever its content stands."""
    if isinstance(job.content, Blob):
        job = replace(job, content=_nowhere(job.content))
    return job if job.extra is None else replace(job, extra=_placeless_extra(job.extra))


def _placeless(change: Change) -> Change:
    match change:
        case PutJob(job):
            return PutJob(placeless(job))
        case AlterJob(move, extra) if extra is not None:
            return AlterJob(move, _placeless_extra(extra))
        case _:
            return change


def _placeless_extra(extra: Extra) -> Extra:
    return replace(extra, result=_nowhere(extra.result)) if isinstance(extra.result, Blob) else extra


def _nowhere(blob: Blob) -> Blob:
    return Blob(blob.length, blob.digest, ())
