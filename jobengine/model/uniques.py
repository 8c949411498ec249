"""The unique keys of one queue, and which jobs have them."""

from collections.abc import Iterable, Iterator, Mapping

from jobengine.model.extra import UniqueFor
from jobengine.model.job import Job
from jobengine.model.states import State


class Uniques:
    """Finds the job that keeps others with its key out. Knows only those jobs that may."""

    __slots__ = ("_uids",)

    def __init__(self, jobs: Iterable[Job] = ()) -> None:
        self._uids: dict[str, tuple[str, ...]] = {}  # by key, oldest first: seldom more than one
        for job in jobs:
            self.add(job)

    def add(self, job: Job) -> None:
        """Remember its key, if it has one that still counts."""
        unique = job.more.unique
        if unique is not None and _may_count(job):
            self._uids[unique.key] = (*self._uids.get(unique.key, ()), job.uid)

    def remove(self, job: Job) -> None:
        """Forget this very job's key."""
        unique = job.more.unique
        if unique is None or not _may_count(job):
            return
        left = tuple(uid for uid in self._uids[unique.key] if uid != job.uid)
        if left:
            self._uids[unique.key] = left
        else:
            del self._uids[unique.key]

    def holders(self, key: str, jobs: Mapping[str, Job]) -> Iterator[Job]:
        """The jobs whose key this is, and counts or did until their time came; oldest first."""
        return (jobs[uid] for uid in self._uids.get(key, ()))


def has_key(job: Job, now: int) -> bool:
    """Whether the job, in the state that it is in, keeps others with its unique key out."""
    unique = job.more.unique
    if unique is None or not _may_count(job):
        return False
    return unique.lasts is not UniqueFor.WINDOW or unique.until > now


def _may_count(job: Job) -> bool:
    """Whether its key counts, a window that is over apart."""
    unique = job.more.unique
    if unique is None or unique.lasts is UniqueFor.WINDOW:
        return unique is not None
    return job.state is State.QUEUED or (unique.lasts is UniqueFor.ACTIVE and not job.has_ended)
