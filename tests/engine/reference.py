"""The broker once more, in the plainest way: dicts and lists, and time that passes one deadline at a time.

Written from the documents and not from the rules, so that the two can disagree.
"""

from dataclasses import dataclass

from jobengine.model.queue import Queue
from jobengine.model.states import State

ENDED = ("complete", "failed")


class Refused(Exception):
    """Holds the code of the refusal."""


@dataclass
class Plain:
    """A job."""

    uid: str
    content: bytes
    priority: int
    created: int
    updated: int
    expires: int
    came: int
    status: str = "queued"
    lease_ends: int = 0
    attempt: int = 0
    claimer: str | None = None


class Reference:
    """What a broker must be seen to do."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.queues: dict[str, Queue] = {}
        self.jobs: dict[str, dict[str, Plain]] = {}
        self._arrivals = 0

    # --- time ---

    def pass_ms(self, milliseconds: int) -> None:
        """Everything that is due happens, one after the other, in the moment in which it is due."""
        until = self.now + milliseconds
        while due := self._next_due(until):
            self.now, _, name, job = due
            self._happen(name, job)
        self.now = until

    def _next_due(self, until: int) -> tuple[int, int, str, Plain] | None:
        due = [
            (self._deadline(name, job), job.came, name, job)
            for name, jobs in self.jobs.items()
            for job in jobs.values()
            if self._deadline(name, job) <= until
        ]
        return min(due, key=lambda each: each[:3], default=None)

    def _deadline(self, name: str, job: Plain) -> int:
        if job.status == "queued":
            return job.expires
        if job.status == "inprogress":
            return job.lease_ends
        return job.updated + self.queues[name].keep

    def _happen(self, name: str, job: Plain) -> None:
        if job.status != "inprogress":
            del self.jobs[name][job.uid]
            return
        again = job.attempt < self.queues[name].max_attempts and job.expires > self.now
        job.status = "queued" if again else "failed"
        job.updated = max(self.now, job.created + 1)

    # --- what is asked ---

    def configure(self, *queues: Queue) -> None:
        """These are the queues."""
        self.queues = {queue.name: queue for queue in queues}
        self.jobs = {name: self.jobs.get(name, {}) for name in self.queues}
        self.pass_ms(0)

    def create(self, name: str, uid: str, content: bytes, priority: int, valid_for: int) -> None:
        """A new job, under the uid that the broker gave it."""
        self.jobs[name][uid] = Plain(
            uid, content, priority, self.now, self.now, self.now + valid_for, self._next_arrival()
        )

    def claim(self, name: str, claimer: str) -> Plain | None:
        """The first in the queue."""
        waiting = [job for job in self.order(name) if job.status == "queued"]
        if not waiting:
            return None
        job = waiting[0]
        job.status, job.claimer, job.attempt = "inprogress", claimer, job.attempt + 1
        job.lease_ends = self.now + self.queues[name].lease
        self._touch(job)
        return job

    def update(
        self,
        name: str,
        uid: str,
        caller: str,
        may_write: bool,
        *,
        state: State | None = None,
        content: bytes | None = None,
        expires: int | None = None,
        priority: int | None = None,
    ) -> Plain:
        """Change what is named."""
        job = self.get(name, uid)
        if not may_write:
            self._check_reader(job, caller, expires is None and priority is None)
        self._touch(job)
        was = job.status
        status = None if state is None else state.value
        gives_back = status == "queued" != job.status
        if gives_back and expires is None and job.expires <= self.now:
            status = "failed"
        if gives_back or (priority is not None and priority != job.priority):
            job.came = self._next_arrival()
        job.content = job.content if content is None else content
        job.expires = job.expires if expires is None else expires
        job.priority = job.priority if priority is None else priority
        if status is not None:
            self._set_status(job, status, caller)
        if job.status == "inprogress":
            job.lease_ends = self.now + self.queues[name].lease
        elif job.status != was:
            job.lease_ends = 0
        if job.status == "queued" and job.expires <= self.now:
            del self.jobs[name][uid]
        return job

    def _check_reader(self, job: Plain, caller: str, settles: bool) -> None:
        if job.claimer != caller:
            raise Refused("forbidden")
        if job.status == "queued" or (job.status in ENDED and job.lease_ends):
            raise Refused("bad_state")
        if not settles:
            raise Refused("forbidden")

    def _set_status(self, job: Plain, status: str, caller: str) -> None:
        if status == "queued" != job.status:
            job.attempt = 0
        if status == "inprogress" != job.status:
            job.attempt += 1
        if job.claimer != caller or status == "queued":
            job.claimer = None
        job.status = status

    def delete(self, name: str, uid: str) -> None:
        """Remove a job."""
        self.get(name, uid)
        del self.jobs[name][uid]

    def get(self, name: str, uid: str) -> Plain:
        """One job."""
        if uid not in self.jobs.get(name, {}):
            raise Refused("not_found")
        return self.jobs[name][uid]

    def order(self, name: str) -> list[Plain]:
        """All jobs of a queue, in its order."""
        if name not in self.jobs:
            raise Refused("not_found")
        return sorted(self.jobs[name].values(), key=lambda job: (-job.priority, job.came))

    def _next_arrival(self) -> int:
        self._arrivals += 1
        return self._arrivals

    def _touch(self, job: Plain) -> None:
        job.updated = max(self.now, job.updated, job.created + 1)
