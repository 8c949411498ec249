"""What time does to a job, in the plainest way. Written from the documents and not from the rules."""

from msgspec.structs import replace

from jobengine.model.extra import FAILURES_MOST, Extra, Failure, Reason
from jobengine.model.job import Job
from jobengine.model.queue import Queue
from jobengine.model.states import State
from tests.simulation.book import Book


def left_by_time(job: Job, queue: Queue, now: int) -> Job | None:
    """The job as it is at this time; None when it is gone."""
    left: Job | None = job
    while left is not None and (due := _deadline(left, queue)) <= now:
        was_held = left.state == "inprogress"
        left = _at_deadline(left, queue, max(due, left.updated + 1), due)
        if was_held and left is not None and left.reason == "timeout" and queue.dead_letter is not None:
            break  # it is a dead letter from then on, which nobody forgets
    return left


def present(book: Book, queue: str, uid: str, now: int) -> Job | None:
    """The job as it is now; None when there is none."""
    job = book.jobs.get(queue, {}).get(uid)
    return None if job is None else left_by_time(job, book.queues[queue], now)


def ready(book: Book, queue: str, now: int) -> list[Job]:
    """What may be handed out, in the order in which it must be."""
    settings = book.queues[queue]
    if settings.is_paused or settings.is_paused_by_hand:
        return []
    jobs = (job for job in book.jobs[queue].values() if job.state == "queued" and job.expires > now)
    waiting = [job for job in jobs if not job.more.halted and job.more.not_before <= now]
    return sorted(waiting, key=lambda job: (-job.priority, job.arrival))


def key_holder(book: Book, queue: str, key: str, now: int) -> Job | None:
    """A job that keeps others with this unique key out of the queue."""
    same = (job for job in book.jobs[queue].values() if job.more.unique and job.more.unique.key == key)
    return next((job for job in same if keeps_out(job, book.queues[queue], now)), None)


def keeps_out(stored: Job, queue: Queue, now: int) -> bool:
    """Whether a job keeps others with its unique key out."""
    left = left_by_time(stored, queue, now)
    if left is None or (stored.state == "inprogress" and left.reason == "timeout" and queue.dead_letter):
        return False  # it is gone, or a dead letter of another queue
    return counts(left, now)


def counts(job: Job, now: int) -> bool:
    """Whether the job, as it is, keeps others with its unique key out."""
    unique = job.more.unique
    if unique is None:
        return False
    if unique.lasts == "window":
        return unique.until > now
    return job.state == "queued" or (unique.lasts == "active" and job.state == "inprogress")


def attempts_most(job: Job, queue: Queue) -> int:
    """How often it may be handed out."""
    return job.more.max_attempts or queue.max_attempts


def with_record(job: Job, failure: Failure) -> Extra:
    """Its extra, with one more failed attempt; the oldest go when there are too many."""
    records = [*job.more.failures, failure]
    return replace(job.more, failures=tuple(records[-FAILURES_MOST:]))


def _deadline(job: Job, queue: Queue) -> int:
    if job.state == "queued":
        return job.expires
    return job.lease_ends if job.state == "inprogress" else job.updated + queue.keep


def _at_deadline(job: Job, queue: Queue, updated: int, due: int) -> Job | None:
    if job.has_ended:
        return None
    if job.more.is_to_stop:
        return _failed(job, updated, replace(job.more, reason=Reason.STOPPED))
    if job.state == "queued":
        expired = replace(job.more, reason=Reason.EXPIRED)
        return _failed(job, updated, expired) if queue.keeps_expired else None
    record = with_record(job, Failure(job.attempt, due, Reason.TIMEOUT, worker=job.worker))
    if job.attempt >= attempts_most(job, queue):
        # A plain job has no record, unless it dies: the end of its lease tells why it failed.
        is_plain = job.extra is None and queue.dead_letter is None
        return _failed(job, updated, None if is_plain else replace(record, reason=Reason.TIMEOUT))
    if job.expires <= due:
        return _failed(job, updated, replace(job.more, reason=Reason.EXPIRED))
    return replace(job, state=State.QUEUED, updated=updated, extra=record)


def _failed(job: Job, updated: int, extra: Extra | None) -> Job:
    return replace(job, state=State.FAILED, updated=updated, extra=None if extra is None else at_rest(extra))


def at_rest(extra: Extra) -> Extra:
    """Of a job that has ended: nobody asks anything of it, and it leaves nothing to go on with."""
    return replace(extra, halted=False, is_to_stop=False, saved=None)
