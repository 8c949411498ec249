"""What a caller changes of a job."""

from itertools import count
from typing import Final

from msgspec.structs import replace

from jobengine.errors import BadState, Forbidden, QueueFull
from jobengine.model.changes import Change, DropJob
from jobengine.model.commands import Answer, Update
from jobengine.model.decision import Decision
from jobengine.model.extra import Extra, Reason
from jobengine.model.job import Job, order_of, weight
from jobengine.model.moment import Moment
from jobengine.model.queue import Queue
from jobengine.model.rules.failing import stored
from jobengine.model.rules.log import oldest_logs
from jobengine.model.rules.passing import current, touched
from jobengine.model.states import Event, State, after
from jobengine.model.view import View

_EVENTS: Final = {
    State.QUEUED: Event.PUT_BACK,
    State.INPROGRESS: Event.START,
    State.COMPLETE: Event.COMPLETE,
    State.FAILED: Event.FAIL,
}


def update(view: View, command: Update, moment: Moment) -> Decision[Answer]:
    """Change what the command names, all or nothing. Raises NotFound, Forbidden, BadState, QueueFull."""
    job = current(view, command.queue, command.uid, moment)
    if not command.may_write:
        _check_is_settling(job, command)
    updated = _with_values(view, job, command, moment)
    updated = _in_state(job, updated, command, view.queue(command.queue), moment)
    return Decision(_changes(view, job, updated, moment), updated)


def _check_is_settling(job: Job, command: Update) -> None:
    if job.claimer != command.caller:
        raise Forbidden("a service that may only read can update only a job that it holds itself")
    if not _is_held(job):
        raise BadState("the lease is over: the job is not yours any more")
    if command.priority is not None or command.expires is not None:
        raise Forbidden("a service that may only read can update only status and content")


def _is_held(job: Job) -> bool:
    """Whether its claimer has it, or ended it itself. Whoever lost it has a lease that is over."""
    return job.state is State.INPROGRESS or (job.state is not State.QUEUED and not job.lease_ends)


def _with_values(view: View, job: Job, command: Update, moment: Moment) -> Job:
    """The job with the values that the command names, in the place that they give it."""
    priority = job.priority if command.priority is None else command.priority
    put_back = command.state is State.QUEUED and job.state is not State.QUEUED
    moves = put_back or priority != job.priority
    return replace(
        job,
        order=order_of(priority=priority, arrival=view.next_arrival) if moves else job.order,
        content=job.content if command.content is None else command.content,
        updated=touched(job, moment.now),
        expires=job.expires if command.expires is None else command.expires,
    )


def _in_state(before: Job, job: Job, command: Update, queue: Queue, moment: Moment) -> Job:
    """The job in the state that the command names. Every update renews a lease."""
    if command.state is None:
        return replace(job, lease_ends=_lease_ends(before, before.state, moment.now + queue.lease))
    gives_back = _gives_back(before, command)
    event = _event(before, command.state, gives_back=gives_back, late=_is_late(job, command, moment))
    state = after(before.state, event)
    is_handed_out = state is State.INPROGRESS and before.state is not State.INPROGRESS
    return replace(
        job,
        state=state,
        lease_ends=_lease_ends(before, state, moment.now + queue.lease),
        attempt=_attempt(before, state),
        claimer=_claimer(before, state, command),
        epoch=before.epoch + is_handed_out,
        lease=0,  # who held it by API v2 does not any more
        extra=_extra(before, state, event, gives_back=gives_back),
    )


def _extra(before: Job, state: State, event: Event, *, gives_back: bool) -> Extra | None:
    late = event is Event.EXPIRE_LATE
    if (before.extra is None and not late) or state is before.state:
        return before.extra
    extra = replace(before.more, not_before=0)
    match state:
        case State.FAILED:
            return extra.at_end(_reason(before, late=late))
        case State.COMPLETE:
            return extra.at_end(None)
        case State.QUEUED if gives_back:
            return extra
        case _:
            return replace(extra, halted=False, is_to_stop=False, reason=None)


def _reason(before: Job, *, late: bool) -> Reason:
    if before.more.is_to_stop:
        return Reason.STOPPED
    return Reason.EXPIRED if late else Reason.ERROR


def _event(before: Job, wanted: State, *, gives_back: bool, late: bool) -> Event:
    if gives_back and before.more.is_to_stop:
        return Event.STOP
    is_put_back = wanted is State.QUEUED and before.state is not State.QUEUED
    return Event.EXPIRE_LATE if is_put_back and late else _EVENTS[wanted]


def _gives_back(before: Job, command: Update) -> bool:
    """Whether its holder puts it back: what others want of it holds on. Anybody else overrules that."""
    is_put_back = command.state is State.QUEUED and before.state is State.INPROGRESS
    return is_put_back and before.claimer == command.caller


def _is_late(job: Job, command: Update, moment: Moment) -> bool:
    """Whether the job's time in the queue was over before this command, which gives it no other."""
    return command.expires is None and job.expires <= moment.now


def _lease_ends(before: Job, state: State, renewed: int) -> int:
    if state is State.INPROGRESS:
        return renewed
    return before.lease_ends if state is before.state else 0


def _attempt(before: Job, state: State) -> int:
    if state is before.state:
        return before.attempt
    if state is State.QUEUED:
        return 0
    return before.attempt + (state is State.INPROGRESS)


def _claimer(before: Job, state: State, command: Update) -> str | None:
    """Who holds the job now. A writer who sets the status ends what a claimer held.

    A claimer that ended its job stays named, so that it may say so again when the answer was lost.
    """
    if state is State.QUEUED:
        return None
    return command.caller if before.claimer == command.caller else None


def _changes(view: View, before: Job, job: Job, moment: Moment) -> tuple[Change, ...]:
    if job.state is State.QUEUED and job.expires <= moment.now:
        return (DropJob(job.queue, job.uid),)
    if job.content is not before.content and not view.has_room_for(weight(job) - weight(before)):
        raise QueueFull("the jobs take all the memory that limits.memory allows")
    in_view = view.job(job.queue, job.uid)
    changes = stored(view, in_view or before, job, count(view.next_arrival))
    if job.state is State.INPROGRESS:
        return changes
    return *changes, *oldest_logs(view, view.queue(job.queue), (job,), changes)
