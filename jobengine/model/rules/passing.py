"""What passing time does to a job. Whoever looks, and whenever, sees the same."""

from msgspec.structs import replace

from jobengine.errors import NotFound
from jobengine.model.deadlines import deadline_of
from jobengine.model.extra import Extra, Failure, Reason
from jobengine.model.job import Job
from jobengine.model.moment import Moment
from jobengine.model.queue import Queue
from jobengine.model.rules.failing import attempts_of, dead_letter_of, with_failure
from jobengine.model.states import Event, State, after
from jobengine.model.uniques import has_key
from jobengine.model.view import View


def touched(job: Job, now: int) -> int:
    """The `updated` of a job that changes now: always a later one, so that it tells versions apart."""
    return max(now, job.updated + 1)


def passed(job: Job, queue: Queue, now: int) -> tuple[Job, tuple[Event, ...]]:
    """The job as time has left it, and what happened to it on the way.

    A deadline changes the job at that deadline, not when somebody looks: a broker that was down for a day
    finds the same as one that was not. For the same reason a job that is queued again has its old place.
    """
    events: list[Event] = []
    while job.state is not State.GONE and deadline_of(job, queue) <= now:
        event = _event_at_deadline(job, queue)
        job = _after_deadline(job, event, deadline_of(job, queue), queue)
        events.append(event)
        if event is Event.TIME_OUT and queue.dead_letter is not None:
            break  # it is a dead letter from then on, which nobody forgets
    return job, tuple(events)


def current(view: View, queue: str, uid: str, moment: Moment) -> Job:
    """The job as it is now, swept or not.

    Raises NotFound, also when its time is over.
    """
    stored = view.job(queue, uid)
    job = None if stored is None else as_of(stored, view.queue(queue), moment.now)
    if job is None:
        raise NotFound
    return job


def unique_holder(view: View, queue: Queue, key: str, now: int) -> Job | None:
    """The job as it is now that keeps others with this unique key out of the queue."""
    for stored in view.unique_holders(queue.name, key, now):
        job = as_of(stored, queue, now)
        if job is not None and has_key(job) and dead_letter_of(view, stored, job) is None:
            return job
    return None


def as_of(job: Job, queue: Queue, now: int) -> Job | None:
    """The job as it is at this time, swept or not; None when it is gone."""
    if deadline_of(job, queue) > now:
        return job
    job, _ = passed(job, queue, now)
    return None if job.state is State.GONE else job


def _event_at_deadline(job: Job, queue: Queue) -> Event:
    if job.has_ended:
        return Event.FORGET
    if job.more.is_to_stop:
        return Event.STOP
    if job.state is State.QUEUED:
        return Event.EXPIRE_KEPT if queue.keeps_expired else Event.EXPIRE
    if job.attempt >= attempts_of(job, queue):
        return Event.TIME_OUT
    return Event.RETRY if job.expires > job.lease_ends else Event.EXPIRE_LATE


def _after_deadline(job: Job, event: Event, deadline: int, queue: Queue) -> Job:
    return replace(
        job,
        state=after(job.state, event),
        updated=max(deadline, job.updated + 1),
        extra=_extra_after(job, event, deadline, queue),
    )


def _extra_after(job: Job, event: Event, deadline: int, queue: Queue) -> Extra | None:
    match event:
        case Event.STOP:
            return job.more.at_end(Reason.STOPPED)
        case Event.EXPIRE_KEPT | Event.EXPIRE_LATE:
            return job.more.at_end(Reason.EXPIRED)
        # A plain job tells by the end of its lease why it failed; a dead letter has another.
        case Event.TIME_OUT if job.extra is not None or queue.dead_letter is not None:
            return with_failure(job, _timeout(job, deadline)).at_end(Reason.TIMEOUT)
        case Event.RETRY:
            return with_failure(job, _timeout(job, deadline))
        case _:
            return job.extra


def _timeout(job: Job, deadline: int) -> Failure:
    return Failure(job.attempt, deadline, Reason.TIMEOUT, worker=job.worker)
