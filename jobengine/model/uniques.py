"""The unique keys of one queue, and which jobs have them."""

from collections.abc import Iterable, Mapping

from jobengine.model.extra import Unique, UniqueFor
from jobengine.model.job import NEVER, Job
from jobengine.model.states import State


class Uniques:
    """Finds the job that keeps others with its key out. Knows only those jobs that may, or may again."""

    __slots__ = ("_ends",)

    def __init__(self, jobs: Iterable[Job] = ()) -> None:
        self._ends: dict[str, dict[str, int]] = {}  # by key: of each uid, when its window is over
        for job in jobs:
            self.add(job)

    def add(self, job: Job) -> None:
        """Remember its key, if it has one that still counts."""
        unique = job.more.unique
        if unique is not None and _may_count(unique, job):
            until = unique.until if unique.lasts is UniqueFor.WINDOW else NEVER
            self._ends.setdefault(unique.key, {})[job.uid] = until

    def remove(self, job: Job) -> None:
        """Forget this very job's key."""
        unique = job.more.unique
        if unique is None or unique.key not in self._ends:
            return
        ends = self._ends[unique.key]
        ends.pop(job.uid, None)  # not there when its window was over
        if not ends:
            del self._ends[unique.key]

    def holders(self, key: str, jobs: Mapping[str, Job], now: int) -> list[Job]:
        """The jobs whose key this is, and counts or may, windows that are over apart.

        Those are looked at once: time does not run back.
        """
        ends = self._ends.get(key)
        if ends is None:
            return []
        for uid in [uid for uid, end in ends.items() if end <= now]:
            del ends[uid]
        if not ends:
            del self._ends[key]
        return [jobs[uid] for uid in ends]


def has_key(job: Job) -> bool:
    """Whether the job, in the state that it is in and in its window, keeps others with its key out."""
    unique = job.more.unique
    if unique is None:
        return False
    match unique.lasts:
        case UniqueFor.QUEUED:
            return job.state is State.QUEUED
        case UniqueFor.ACTIVE:
            return not job.has_ended
        case UniqueFor.WINDOW:
            return True


def _may_count(unique: Unique, job: Job) -> bool:
    """Whether time alone may make its key count: a lease that runs out puts a job back into the queue."""
    return unique.lasts is UniqueFor.WINDOW or not job.has_ended
