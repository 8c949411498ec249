"""What passing time does to a job. Whoever looks, and whenever, sees the same."""

from msgspec.structs import replace

from jobengine.errors import NotFound
from jobengine.model.deadlines import deadline_of
from jobengine.model.job import Job, Queue
from jobengine.model.moment import Moment
from jobengine.model.states import Event, State, after
from jobengine.model.view import View


def touched(job: Job, now: int) -> int:
    """The `updated` of a job that changes now. Never what it was created with."""
    return max(now, job.updated, job.created + 1)


def passed(job: Job, queue: Queue, now: int) -> tuple[Job, tuple[Event, ...]]:
    """The job as time has left it, and what happened to it on the way.

    A deadline changes the job at that deadline, not when somebody looks: a broker that was down for a day
    finds the same as one that was not. For the same reason a job that is queued again has its old place.
    """
    events: list[Event] = []
    while job.state is not State.GONE and deadline_of(job, queue) <= now:
        event = _event_at_deadline(job, queue)
        job = _after_deadline(job, event, deadline_of(job, queue))
        events.append(event)
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


def as_of(job: Job, queue: Queue, now: int) -> Job | None:
    """The job as it is at this time, swept or not; None when it is gone."""
    if deadline_of(job, queue) > now:
        return job
    job, _ = passed(job, queue, now)
    return None if job.state is State.GONE else job


def _event_at_deadline(job: Job, queue: Queue) -> Event:
    if job.state is State.QUEUED:
        return Event.EXPIRE
    if job.state is not State.INPROGRESS:
        return Event.FORGET
    if job.attempt >= queue.max_attempts:
        return Event.TIME_OUT
    return Event.RETRY if job.expires > job.lease_ends else Event.EXPIRE_LATE


def _after_deadline(job: Job, event: Event, deadline: int) -> Job:
    return replace(
        job,
        state=after(job.state, event),
        updated=max(deadline, job.created + 1),
    )
