"""Bringing an export into a database file at rest."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Final

from msgspec import UNSET, Raw, Struct

from jobengine.cli.db.job_lines import LINE_MOST_BYTES, Heading, JobLine, read_heading, read_job
from jobengine.engine.clock import Clock
from jobengine.errors import Fatal, InputOutputFailed, Interrupted, Locked, StorageFull
from jobengine.journal.journal import Journal
from jobengine.journal.keys import Secret
from jobengine.journal.owner import OwnedFiles
from jobengine.model.blob import BLOB_THRESHOLD_BYTES, Blob
from jobengine.model.changes import Change, PutJob, PutQueue
from jobengine.model.ledger import Ledger
from jobengine.model.queue import Queue
from jobengine.settings.schema import QueueSettings

TOGETHER: Final = 1000  # lines that are imported all or not at all
_TOLD_MOST: Final = 20  # mistakes
_MINUTE_MS: Final = 60_000
_NO_ROOM: Final = (
    "the disk has no room; {} jobs are imported. Make room, and do it again: those that are there are skipped"
)
_INTERRUPTED: Final = (
    "Interrupted: {} jobs are imported, and perhaps those after them that were under way. "
    "Do it again: those that are there are skipped"
)


class Export:
    """The lines to import, read as often as need be."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file  # at its beginning, and can be read again

    def check(self) -> list[Queue]:
        """Read all of it, and see that it can be imported. The queues that it needs.

        Raises Fatal with all that is wrong.
        """
        queues = {entry.name: entry.queue() for entry in self._heading().queues}
        mistakes: list[str] = []
        places: dict[tuple[str, str], int] = {}
        for number, line in enumerate(self._lines(), start=2):
            try:
                job = read_job(line)
            except Fatal as mistake:
                mistakes.append(f"line {number}: {mistake.detail}")
                continue
            first = places.setdefault((job.queue, job.uid), number)
            if first != number:
                mistakes.append(f"line {number}: uid: stands in line {first} already")
            queues.setdefault(job.queue, _default_queue(job.queue))
        if mistakes:
            raise Fatal("\n".join(_summed(mistakes)))
        return list(queues.values())

    def batches(self, told: Callable[[int], object]) -> Iterator[list[JobLine]]:
        """The jobs, in order, so many at a time."""
        self._heading()
        lines = self._lines()
        while batch := [read_job(line) for line in islice(lines, TOGETHER)]:
            yield batch
            told(self._file.tell())

    def _heading(self) -> Heading:
        """The first line; the next that is read is the second. Raises Fatal."""
        self._file.seek(0)
        return read_heading(self._file.readline(LINE_MOST_BYTES))

    def _lines(self) -> Iterator[bytes]:
        while line := self._file.readline(LINE_MOST_BYTES):
            yield line


class Imported(Struct, frozen=True):
    """What an import did."""

    imported: int
    replaced: int  # of these, jobs that were there
    skipped: int  # jobs that were there, and stayed as they were
    queues_made: tuple[str, ...]


class Import:
    """Puts jobs into one database file, which is recovered and started."""

    def __init__(self, ledger: Ledger, journal: Journal, *, replace: bool) -> None:
        self._ledger = ledger
        self._journal = journal
        self._replace = replace
        self._counts = Counter(imported=0, replaced=0, skipped=0)

    async def run(self, queues: Iterable[Queue], batches: Iterable[list[JobLine]]) -> Imported:
        """Make the queues that are not there, and import all jobs.

        Raises InputOutputFailed, also when there is no room; Interrupted.
        """
        present = {queue.name for queue in self._ledger.queues()}
        missing = [queue for queue in queues if queue.name not in present]
        changes = [PutQueue(queue) for queue in missing]
        self._ledger.apply(changes)
        try:
            await self._store(changes)
            for batch in batches:
                await self._store_jobs(batch)
        except StorageFull:
            raise InputOutputFailed(_NO_ROOM.format(self._counts["imported"])) from None
        except asyncio.CancelledError:  # Ctrl-C; what is under way may be stored as well
            raise Interrupted(_INTERRUPTED.format(self._counts["imported"])) from None
        return Imported(**self._counts, queues_made=tuple(queue.name for queue in missing))

    async def _store_jobs(self, batch: list[JobLine]) -> None:
        """In one commit: all of them or none."""
        counts: Counter[str] = Counter()
        changes: list[Change] = []
        for line in batch:
            is_there = self._ledger.job(line.queue, line.uid) is not None
            if is_there and not self._replace:
                counts["skipped"] += 1
                continue
            content = await self._value(line.content)
            result = None if line.result is UNSET else await self._value(line.result)
            saved = None if line.saved is UNSET else await self._value(line.saved)
            job = line.job(content, result, saved, arrival=self._ledger.next_arrival)
            changes.append(PutJob(job))
            self._ledger.apply(changes[-1:])  # at once: the next one has its place behind it
            counts.update(imported=1, replaced=int(is_there))
        await self._store(changes)
        self._counts.update(counts)

    async def _value(self, raw: Raw) -> bytes | Blob:
        value = bytes(raw)
        return value if len(value) <= BLOB_THRESHOLD_BYTES else await self._journal.write_blob(value)

    async def _store(self, changes: Sequence[Change]) -> None:
        if changes:
            await self._journal.append(changes)


async def import_into(
    database: Path,
    secret: Secret,
    queues: Iterable[Queue],
    batches: Iterable[list[JobLine]],
    *,
    replace: bool,
) -> Imported:
    """Import into this file, or make it. Raises Fatal."""
    ledger = Ledger()
    try:
        journal = Journal.open(database, secret, replay=ledger.replay, files=OwnedFiles(database))
    except Locked as refusal:
        raise Locked(f"{refusal.detail}; stop the server first") from None
    ledger.index()
    # A full disk and a failed one end the import: there is nothing to take back, and nobody else to tell.
    journal.start(
        now=Clock(at_least=journal.last_time).now, on_rollback=lambda _: None, on_failure=lambda _: None
    )
    try:
        return await Import(ledger, journal, replace=replace).run(queues, batches)
    finally:
        await journal.close()


def _default_queue(name: str) -> Queue:
    settings = QueueSettings(name, read=frozenset(), write=frozenset())
    keep, lease = settings.job_keep_minutes * _MINUTE_MS, settings.job_timeout_minutes * _MINUTE_MS
    return Queue(name, round(keep), round(lease), settings.max_attempts)


def _summed(mistakes: list[str]) -> Iterator[str]:
    yield from mistakes[:_TOLD_MOST]
    if len(mistakes) > _TOLD_MOST:
        yield f"... and {len(mistakes) - _TOLD_MOST} more lines"
    yield "Nothing was imported."
