"""What an attempt that failed leaves behind: its record, and for some jobs a dead letter."""

from collections.abc import Iterator

from msgspec.structs import replace

from jobengine.model.changes import Change, DropJob, PutJob, change
from jobengine.model.extra import FAILURES_MOST, Extra, Failure, Reason
from jobengine.model.job import NEVER, Job, order_of
from jobengine.model.queue import Queue
from jobengine.model.states import Event, State, after
from jobengine.model.view import View


def attempts_of(job: Job, queue: Queue) -> int:
    """How often the job may be handed out."""
    return job.more.max_attempts or queue.max_attempts


def with_failure(job: Job, failure: Failure) -> Extra:
    """The job's extra, this attempt recorded."""
    extra = job.more
    return replace(extra, failures=(*extra.failures, failure)[-FAILURES_MOST:])


def stored(view: View, before: Job, job: Job, arrivals: Iterator[int]) -> tuple[Change, ...]:
    """What to store of a job that was `before` in the view.

    One that has failed for good goes to the dead letter queue, if its queue has one.
    """
    dead_letter = dead_letter_of(view, before, job)
    if dead_letter is None:
        return (change(before, job),)
    return DropJob(job.queue, job.uid), PutJob(buried(job, dead_letter, next(arrivals)))


def dead_letter_of(view: View, before: Job, job: Job) -> str | None:
    """The queue that takes a job that was `before` in the view; None when it stays where it is."""
    dead_letter = view.queue(job.queue).dead_letter
    if dead_letter is None or not _is_dead(before, job):
        return None
    has_place = view.find_queue(dead_letter) is not None and view.job(dead_letter, job.uid) is None
    return dead_letter if has_place else None


def buried(job: Job, dead_letter: str, arrival: int) -> Job:
    """The job as a dead letter: queued, without end, no attempt made, with all that it failed with."""
    extra = replace(
        job.more, not_before=0, unique=None, reason=None, progress=None, halted=False, died_in=job.queue
    )
    return replace(
        job,
        queue=dead_letter,
        state=after(job.state, Event.BURY),
        order=order_of(priority=job.priority, arrival=arrival),
        updated=job.updated + 1,
        expires=NEVER,
        lease_ends=0,
        attempt=0,
        claimer=None,
        worker=None,
        lease=0,
        extra=extra,
    )


def _is_dead(before: Job, job: Job) -> bool:
    is_new = job.state is State.FAILED and before.state is not State.FAILED
    return is_new and job.reason in (Reason.ERROR, Reason.TIMEOUT)
