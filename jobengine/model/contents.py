"""The jobs of one queue, found by uid, by order and by deadline."""

from collections.abc import Iterable, Sequence
from typing import Final

from jobengine.model.blob import Blob, length_of
from jobengine.model.deadlines import Deadlines
from jobengine.model.extra import Extra
from jobengine.model.job import ARRIVAL_MASK, JOB_OVERHEAD_BYTES, Job, memory_of_extra
from jobengine.model.keys import KEY_OVERHEAD_BYTES
from jobengine.model.log import Chunk, JobLog
from jobengine.model.order import Order
from jobengine.model.picture import Picture
from jobengine.model.queue import Queue
from jobengine.model.states import State
from jobengine.model.uniques import Uniques

_QUEUED: Final = State.QUEUED


class Totals:
    """What is counted over all queues."""

    __slots__ = ("blob_bytes", "content_bytes", "jobs", "keys", "next_arrival")

    def __init__(self) -> None:
        self.jobs = 0
        self.content_bytes = 0  # of values in memory
        self.blob_bytes = 0  # of values that stand in the file only
        self.keys = 0  # idempotency keys
        self.next_arrival = 1

    @property
    def bytes(self) -> int:
        """About how much memory all jobs take."""
        return self.jobs * JOB_OVERHEAD_BYTES + self.content_bytes + self.keys * KEY_OVERHEAD_BYTES

    def add(self, job: Job) -> None:
        """Count it."""
        content = job.content
        if isinstance(content, bytes):
            self.content_bytes += len(content)
        else:
            self.blob_bytes += content.length
        if job.extra is not None:
            self._add_extra(job.extra, 1)
        self.jobs += 1
        arrival = job.order & ARRIVAL_MASK
        if arrival >= self.next_arrival:
            self.next_arrival = arrival + 1

    def arrive(self, job: Job) -> None:
        """It weighs what it did, but may have the highest number of all."""
        arrival = job.order & ARRIVAL_MASK
        if arrival >= self.next_arrival:
            self.next_arrival = arrival + 1

    def add_all(self, jobs: Iterable[Job]) -> None:
        """Count these: the same as one by one, in half the time."""
        count = content_bytes = blob_bytes = last = 0
        for job in jobs:
            count += 1
            content = job.content
            if isinstance(content, bytes):
                content_bytes += len(content)
            else:
                blob_bytes += content.length
            if job.extra is not None:
                self._add_extra(job.extra, 1)
            arrival = job.order & ARRIVAL_MASK
            if arrival > last:
                last = arrival
        self.jobs += count
        self.content_bytes += content_bytes
        self.blob_bytes += blob_bytes
        self.next_arrival = max(self.next_arrival, last + 1)

    def remove(self, job: Job) -> None:
        """Count it no more. The number of the next job to come stays."""
        content = job.content
        if isinstance(content, bytes):
            self.content_bytes -= len(content)
        else:
            self.blob_bytes -= content.length
        if job.extra is not None:
            self._add_extra(job.extra, -1)
        self.jobs -= 1

    def add_log(self, log: JobLog, sign: int) -> None:
        """Count what a job has written; with -1, count it no more."""
        self.content_bytes += sign * log.memory
        self.blob_bytes += sign * sum(blob.length for blob in log.blobs)

    def _add_extra(self, extra: Extra, sign: int) -> None:
        self.content_bytes += sign * memory_of_extra(extra)
        for value in (extra.result, extra.saved):
            if isinstance(value, Blob):
                self.blob_bytes += sign * value.length


class Contents:
    """A queue and its jobs. While a file is replayed (until `index`) they are only found by uid."""

    __slots__ = (
        "_indexed",
        "_pictures",
        "_totals",
        "deadlines",
        "jobs",
        "logs",
        "order",
        "queue",
        "queued_bytes",
        "uniques",
    )

    def __init__(self, queue: Queue, totals: Totals, *, indexed: bool) -> None:
        self.queue = queue
        self.jobs: dict[str, Job] = {}
        self.logs: dict[str, JobLog] = {}  # of those that have written something
        self.order = Order(())
        self.deadlines = Deadlines(self.jobs)
        self.uniques = Uniques()
        self.queued_bytes = 0  # of the contents of those that are queued
        self._totals = totals
        self._indexed = indexed
        self._pictures: list[Picture] = []

    def index(self) -> None:
        """Sort all jobs at once, which is much quicker than one by one."""
        self.order = Order(self.jobs.values())
        self.deadlines = Deadlines(self.jobs)
        self.uniques = Uniques(job for job in self.jobs.values() if job.extra is not None)
        self.queued_bytes = sum(length_of(job.content) for job in self.jobs.values() if job.state is _QUEUED)
        self._indexed = True
        self.enter()

    def enter(self) -> None:
        """Count these jobs in the totals."""
        if self._indexed:
            self._totals.add_all(self.jobs.values())
            for log in self.logs.values():
                self._totals.add_log(log, 1)

    def leave(self) -> None:
        """Count these jobs no more."""
        if self._indexed:
            for job in self.jobs.values():
                self._totals.remove(job)
            for log in self.logs.values():
                self._totals.add_log(log, -1)

    def put(self, uid: str, job: Job | None) -> Job | None:
        """Let this job be what `job` says, or gone. Returns what it was."""
        jobs = self.jobs
        before = jobs.get(uid)
        if job is not None:
            jobs[uid] = job
        elif before is not None:
            del jobs[uid]
        if self._indexed:
            self._sort_in(uid, before, job)
        return before

    def put_new(self, jobs: Sequence[Job]) -> None:
        """Take in new jobs that are queued and have nothing extra: as one by one, in half the time."""
        self.jobs.update([(job.uid, job) for job in jobs])
        if not self._indexed:
            return
        for picture in self._pictures:
            for job in jobs:
                picture.note(job.uid, None)
        self._totals.add_all(jobs)
        self.order.add_waiting(jobs)
        self.deadlines.add_waiting(jobs)
        self.queued_bytes += sum([length_of(job.content) for job in jobs])

    def put_with_log(
        self, uid: str, both: tuple[Job | None, JobLog | None]
    ) -> tuple[Job | None, JobLog | None]:
        """The same for a job and what it has written."""
        job, log = both
        return self.put(uid, job), self.put_log(uid, log)

    def put_log(self, uid: str, log: JobLog | None) -> JobLog | None:
        """Let this be what a job has written; None: nothing. Returns what it was."""
        before = self.logs.pop(uid, None)
        if log is not None:
            self.logs[uid] = log
        if self._indexed:
            for each, sign in ((before, -1), (log, 1)):
                if each is not None:
                    self._totals.add_log(each, sign)
        return before

    def written(self, uid: str, epoch: int, chunk: Chunk) -> JobLog:
        """What a job has written, when this is added by the attempt of this epoch."""
        log = self.logs.get(uid)
        if log is None or log.epoch < epoch:
            log = JobLog(epoch)
        return log.appended(chunk) if log.epoch == epoch else log

    def picture(self, *, after: int = -1) -> Picture:
        """The jobs behind this sort key as they are now, whatever happens to them. Close it."""
        picture = Picture(self.order, after=after)
        self._pictures.append(picture)
        return picture

    def close(self, picture: Picture) -> None:
        """The picture is not read any more."""
        self._pictures.remove(picture)

    def _sort_in(  # noqa: C901  # flat: it is done for every change, and calls cost
        self, uid: str, before: Job | None, job: Job | None
    ) -> None:
        totals, order, deadlines = self._totals, self.order, self.deadlines
        for picture in self._pictures:
            picture.note(uid, before)
        if (
            before is not None
            and job is not None
            and job.content is before.content
            and job.extra is before.extra
        ):
            if job.order != before.order:
                totals.arrive(job)
        else:
            if before is not None:
                totals.remove(before)
            if job is not None:
                totals.add(job)
        if before is not None:
            order.remove(before)
            deadlines.remove(before)
            if before.state is _QUEUED:
                content = before.content  # not `length_of`: its call would take longer than all this
                self.queued_bytes -= len(content) if isinstance(content, bytes) else content.length
            if before.extra is not None:
                self.uniques.remove(before)
        if job is not None:
            order.add(job)
            deadlines.add(job)
            if job.state is _QUEUED:
                content = job.content
                self.queued_bytes += len(content) if isinstance(content, bytes) else content.length
            if job.extra is not None:
                self.uniques.add(job)
