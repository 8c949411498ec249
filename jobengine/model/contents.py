"""The jobs of one queue, found by uid, by order and by deadline."""

from jobengine.model.deadlines import Deadlines
from jobengine.model.job import Job, Queue, weight
from jobengine.model.order import Order
from jobengine.model.picture import Picture


class Contents:
    """A queue and its jobs. While a file is replayed (until `index`) only the uids are kept in order."""

    __slots__ = ("_indexed", "_pictures", "deadlines", "jobs", "order", "queue")

    def __init__(self, queue: Queue, *, indexed: bool) -> None:
        self.queue = queue
        self.jobs: dict[str, Job] = {}
        self.order = Order(())
        self.deadlines = Deadlines(())
        self._indexed = indexed
        self._pictures: list[Picture] = []

    def index(self) -> None:
        """Sort all jobs at once, which is much quicker than one by one."""
        self.order = Order(self.jobs.values())
        self.deadlines = Deadlines(self.jobs.values())
        self._indexed = True

    def put(self, uid: str, job: Job | None) -> Job | None:
        """Let this job be what `job` says, or gone. Returns what it was."""
        before = self.jobs.get(uid)
        if job is not None:
            self.jobs[uid] = job
        elif before is not None:
            del self.jobs[uid]
        if self._indexed:
            self._sort_in(uid, before, job)
        return before

    def weight(self) -> int:
        """About how many bytes of memory all jobs take."""
        return sum(map(weight, self.jobs.values()))

    def picture(self, *, after: int = -1) -> Picture:
        """The jobs behind this sort key as they are now, whatever happens to them. Close it."""
        picture = Picture(self.order, after=after)
        self._pictures.append(picture)
        return picture

    def close(self, picture: Picture) -> None:
        """The picture is not read any more."""
        self._pictures.remove(picture)

    def _sort_in(self, uid: str, before: Job | None, job: Job | None) -> None:
        for picture in self._pictures:
            picture.note(uid, before)
        if before is not None:
            self.order.remove(before)
            self.deadlines.remove(before)
        if job is not None:
            self.order.add(job)
            self.deadlines.add(job)
