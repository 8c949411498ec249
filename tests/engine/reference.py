"""The broker once more, in the plainest way: dicts and lists, and time that passes one deadline at a time.

Written from the documents and not from the rules, so that the two can disagree.
"""

from dataclasses import dataclass

from jobengine.model.queue import Queue
from jobengine.model.states import State

ENDED = ("complete", "failed")
NEVER = 253_402_300_799_000


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
    epoch: int = 0
    leased: bool = False  # whether its last claimer may still speak of it
    stopping: bool = False
    not_before: int = 0
    max_attempts: int = 0
    key: str | None = None


class Reference:
    """What a broker must be seen to do."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.queues: dict[str, Queue] = {}
        self.jobs: dict[str, dict[str, Plain]] = {}
        self.requests: dict[bytes, list[str]] = {}  # idempotency key → what it made
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
        again = job.attempt < self._attempts(name, job) and job.expires > self.now and not job.stopping
        job.status = "queued" if again else "failed"
        job.leased = job.stopping = False
        self._touch(job)

    def _attempts(self, name: str, job: Plain) -> int:
        return job.max_attempts or self.queues[name].max_attempts

    # --- what is asked ---

    def configure(self, *queues: Queue) -> None:
        """These are the queues."""
        self.queues = {queue.name: queue for queue in queues}
        self.jobs = {name: self.jobs.get(name, {}) for name in self.queues}
        self.pass_ms(0)

    def create(
        self,
        name: str,
        uid: str,
        content: bytes,
        priority: int,
        valid_for: int,
        *,
        delay: int = 0,
        max_attempts: int = 0,
        key: str | None = None,
    ) -> None:
        """A new job, under the uid that the broker gave it."""
        job = Plain(uid, content, priority, self.now, self.now, self.now + valid_for, self._next_arrival())
        job.not_before = self.now + delay if delay else 0
        job.max_attempts, job.key = max_attempts, key
        self.jobs[name][uid] = job

    def keepers(self, name: str, key: str | None) -> set[str]:
        """The uids of the jobs that keep others with this unique key out."""
        living = [job for job in self.jobs.get(name, {}).values() if job.status not in ENDED]
        return {job.uid for job in living if key is not None and job.key == key}

    def has_room(self, name: str, jobs: int) -> bool:
        """Whether so many more may wait."""
        waiting = [job for job in self.jobs[name].values() if job.status == "queued"]
        most = self.queues[name].max_jobs
        return not most or len(waiting) + jobs <= most

    def claim(self, name: str, claimer: str) -> Plain | None:
        """The first in the queue."""
        waiting = [job for job in self.order(name) if job.status == "queued" and job.not_before <= self.now]
        if not waiting:
            return None
        job = waiting[0]
        job.status, job.claimer, job.attempt = "inprogress", claimer, job.attempt + 1
        job.lease_ends = self.now + self.queues[name].lease
        job.epoch, job.leased, job.not_before = job.epoch + 1, True, 0
        self._touch(job)
        return job

    def settle(self, name: str, uid: str, word: str, milliseconds: int, *, is_holder: bool) -> Plain:
        """What a holder says of its job."""
        job = self.get(name, uid)
        if not is_holder or not job.leased:
            raise Refused("lease_lost")
        if job.status == "complete" == word:
            return job
        if job.status != "inprogress":
            raise Refused("lease_lost")
        self._touch(job)
        if word == "extend":
            job.lease_ends = self.now + milliseconds
            return job
        again = self._comes_again(name, job, word, milliseconds)
        job.status = "complete" if word == "complete" else "queued" if again else "failed"
        job.lease_ends, job.stopping = 0, False
        if again:
            job.claimer, job.leased = None, False
            job.attempt -= word == "release"
            job.not_before = self.now + milliseconds if milliseconds else 0
        return job

    def _comes_again(self, name: str, job: Plain, word: str, delay: int) -> bool:
        if word == "complete" or job.stopping:
            return False
        if word == "release":
            return job.expires > self.now
        return job.attempt < self._attempts(name, job) and job.expires > self.now + delay

    def stop(self, name: str, uid: str) -> Plain:
        """Somebody does not want it done."""
        job = self.get(name, uid)
        if job.status in ENDED:
            raise Refused("bad_state")
        self._touch(job)
        if job.status == "inprogress":
            job.stopping = True
        else:
            job.status, job.lease_ends = "failed", 0
        return job

    def retry(self, name: str, uid: str) -> Plain:
        """Somebody wants it done now, or again."""
        job = self.get(name, uid)
        if job.status == "inprogress" or (job.status in ENDED and self.keepers(name, job.key)):
            raise Refused("bad_state")
        if job.status == "queued":
            if job.not_before:
                job.not_before = 0
                self._touch(job)
            return job
        self._touch(job)
        job.status, job.came, job.attempt, job.lease_ends = "queued", self._next_arrival(), 0, 0
        job.claimer, job.leased, job.not_before = None, False, 0
        job.expires = job.expires if job.expires > self.now else NEVER
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
        if gives_back and job.stopping and job.claimer == caller:
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
        job.leased = False
        if status != job.status:
            job.not_before, job.stopping = 0, False
            job.epoch += status == "inprogress"
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
        job.updated = max(self.now, job.updated + 1)
