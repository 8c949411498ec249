"""Every recorded state of one job, out of the file and the older ones that are kept beside it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

from jobengine.journal.files import Files
from jobengine.journal.frame import FrameType, Head
from jobengine.journal.inspection import Progress, changes_in, unwatched
from jobengine.journal.keys import Secret
from jobengine.journal.reading import READING_FILES, Reading, reading, system_errors
from jobengine.journal.spans import Span, spans
from jobengine.model.changes import AlterJob, Change, DropJob, DropQueue, MoveJob, PutJob, altered, moved
from jobengine.model.job import Job
from jobengine.model.states import State

_SNAPSHOT: Final = frozenset((FrameType.SNAPSHOT, FrameType.SNAPSHOT_END))
_WHAT: Final = {
    State.QUEUED: "put back",
    State.INPROGRESS: "claimed",
    State.COMPLETE: "completed",
    State.FAILED: "failed",
}


class Event(Struct, frozen=True):
    """What happened to the job at one commit, and how it was then. Times are ms since the Unix epoch."""

    sequence: int
    time: int
    what: str
    queue: str
    job: Job | None  # None: it is gone


class JobHistory(Struct, frozen=True):
    """All that is recorded of one job, the oldest first."""

    events: tuple[Event, ...]
    reaches_back_to: Span


def job_history(
    path: Path,
    secret: Secret,
    uid: str,
    *,
    queue: str | None = None,
    files: Files = READING_FILES,
    progress: Progress = unwatched,
) -> JobHistory:
    """Look for it. Raises Fatal, Damaged, WrongSecret, InputOutputFailed."""
    with system_errors(f"reading {path}"):
        reach = spans(files, path, secret)
        story = _Story(uid, queue)
        done = 0
        for span in reversed(reach):
            with reading(span.path, secret, files) as read:
                story.read(read, is_first=span is reach[-1], progress=_shifted(progress, done))
                done += read.size
    return JobHistory(tuple(story.events), reach[-1])


def _shifted(progress: Progress, done: int) -> Progress:
    return lambda position: progress(done + position)


class _Story:
    """One job, as changes make it."""

    def __init__(self, uid: str, queue: str | None) -> None:
        self.events: list[Event] = []
        self._uid = uid
        self._queue = queue
        self._jobs: dict[str, Job] = {}  # by queue

    def read(self, read: Reading, *, is_first: bool, progress: Progress) -> None:
        """Go on with this file. What a compaction wrote into it is known, if not from the file before."""
        for head, changes in changes_in(read, progress=progress):
            if head.type not in _SNAPSHOT:
                self.events += self._told(head, changes)
            elif is_first:
                self._found(head, changes)

    def _found(self, head: Head, changes: list[Change]) -> None:
        """By a compaction, whose file is no longer there."""
        for _ in self._told(head, changes):
            pass
        if head.type == FrameType.SNAPSHOT_END:
            for queue, job in self._jobs.items():
                self.events.append(Event(head.sequence, head.time, "found by a compaction", queue, job))

    def _told(self, head: Head, changes: list[Change]) -> Iterator[Event]:
        for change in changes:
            match change:
                case PutJob(job) if self._is_meant(job.uid, job.queue):
                    yield self._now(head, job)
                case MoveJob(queue=queue, uid=uid) if self._is_meant(uid, queue):
                    yield self._now(head, moved(self._jobs[queue], change))
                case AlterJob(MoveJob(queue=queue, uid=uid)) if self._is_meant(uid, queue):
                    yield self._now(head, altered(self._jobs[queue], change))
                case DropJob(queue, uid) if self._is_meant(uid, queue):
                    yield self._gone(head, queue, "deleted, or kept long enough")
                case DropQueue(queue) if queue in self._jobs:
                    yield self._gone(head, queue, "gone with its queue")
                case _:
                    continue

    def _is_meant(self, uid: str, queue: str) -> bool:
        return uid == self._uid and self._queue in (None, queue)

    def _now(self, head: Head, job: Job) -> Event:
        before = self._jobs.get(job.queue)
        self._jobs[job.queue] = job
        return Event(head.sequence, head.time, _what(before, job), job.queue, job)

    def _gone(self, head: Head, queue: str, what: str) -> Event:
        self._jobs.pop(queue, None)
        return Event(head.sequence, head.time, what, queue, None)


def _what(before: Job | None, job: Job) -> str:
    if before is None:
        return "created"
    if before.state is not job.state or before.attempt != job.attempt:
        return _WHAT[job.state]
    if before.content != job.content:
        return "content changed"
    return "priority changed" if before.priority != job.priority else "updated"
