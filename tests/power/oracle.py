"""What the database file may hold after a crash: all that was acknowledged, and no hole."""

import asyncio
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from jobengine.journal.journal import Journal
from jobengine.model.blob import Blob
from jobengine.model.changes import AlterJob, AppendLog, Change, PutJob
from jobengine.model.extra import Extra
from jobengine.model.job import Job
from jobengine.model.keys import Key
from jobengine.model.log import Chunk, JobLog
from jobengine.model.queue import Queue
from tests.journal.scenes import Book

Held = tuple[dict[str, Queue], dict[str, Job], dict[str, JobLog], dict[bytes, Key]]


class Oracle:
    """Every state that there ever was, in order, and up to which one callers have been answered."""

    def __init__(self) -> None:
        self.acknowledged = 0  # number of the newest state that somebody was told of
        self.states: list[Held] = [({}, {}, {}, {})]
        self._book = Book()

    def appended(self, changes: Sequence[Change], stored: asyncio.Future[None]) -> None:
        """These come next; they are acknowledged once the future is done."""
        self._book.apply([_placeless(change) for change in changes])
        book = self._book
        self.states.append((dict(book.queues), dict(book.jobs), dict(book.logs), _keys(book)))
        number = len(self.states) - 1
        stored.add_done_callback(lambda _: self._acknowledge(number))

    def held(self, book: Book) -> Held:
        """A state as a start has found it, to be compared."""
        jobs = {uid: placeless(job) for uid, job in book.jobs.items()}
        logs = {uid: _placeless_log(log) for uid, log in book.logs.items()}
        return book.queues, jobs, logs, _keys(book)

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
        case AppendLog(queue, uid, epoch, chunk):
            return AppendLog(queue, uid, epoch, _placeless_chunk(chunk))
        case _:
            return change


def _placeless_extra(extra: Extra) -> Extra:
    result, saved = (
        _nowhere(each) if isinstance(each, Blob) else each for each in (extra.result, extra.saved)
    )
    return replace(extra, result=result, saved=saved)


def _placeless_log(log: JobLog) -> JobLog:
    return replace(log, chunks=tuple(map(_placeless_chunk, log.chunks)))


def _placeless_chunk(chunk: Chunk) -> Chunk:
    return replace(chunk, data=_nowhere(chunk.data)) if isinstance(chunk.data, Blob) else chunk


def _nowhere(blob: Blob) -> Blob:
    return Blob(blob.length, blob.digest, ())
