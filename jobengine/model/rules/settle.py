"""What the holders of jobs say of them. Who does not hold a job changes nothing of it."""

from itertools import count
from typing import Final, assert_never

from msgspec.structs import replace

from jobengine.errors import JobEngineError, LeaseLost, NotFound
from jobengine.model.changes import Change, change
from jobengine.model.commands import (
    Answer,
    Complete,
    Extend,
    Fail,
    Outcome,
    Progress,
    Release,
    Settle,
    Settlement,
)
from jobengine.model.decision import Decision
from jobengine.model.extra import FAILURE_TEXT_MOST, Extra, Failure, Reason
from jobengine.model.job import Job
from jobengine.model.moment import Moment
from jobengine.model.queue import Queue
from jobengine.model.rules.failing import attempts_of, stored, with_failure
from jobengine.model.rules.log import oldest_logs
from jobengine.model.rules.passing import current, touched
from jobengine.model.states import Event, State, after
from jobengine.model.view import View

_COMPLETED: Final = after(State.INPROGRESS, Event.COMPLETE)


def settle(view: View, command: Settle, moment: Moment) -> Decision[Answer]:
    """Do each of them, in order; one that is refused does not hinder the others. Raises NotFound."""
    queue = view.queue(command.queue)
    arrivals = count(view.next_arrival)
    left: dict[str, Job] = {}  # as the settlements before left them
    changes: list[Change] = []
    outcomes: list[Outcome] = []
    for settlement in command.settlements:
        try:
            before = left.get(settlement.uid) or current(view, queue.name, settlement.uid, moment)
            job = _settled(before, settlement, queue, moment.now)
        except JobEngineError as refusal:
            outcomes.append(refusal)
        else:
            outcomes.append(job)
            if job is before:
                continue
            left[job.uid] = job
            before = _as_stored(view, queue, job.uid)
            if queue.dead_letter is None:  # as `stored` does it, in a quarter of the time
                changes.append(change(before, job))
            else:
                changes += stored(view, before, job, arrivals)
    idle = [job for job in left.values() if job.state is not State.INPROGRESS]
    changes += oldest_logs(view, queue, idle, changes)
    return Decision(tuple(changes), tuple(outcomes))


def _as_stored(view: View, queue: Queue, uid: str) -> Job:
    job = view.job(queue.name, uid)
    if job is None:
        raise NotFound
    return job


def _settled(job: Job, settlement: Settlement, queue: Queue, now: int) -> Job:
    if not job.lease or job.lease != settlement.lease:
        raise LeaseLost
    if job.state is State.COMPLETE and isinstance(settlement, Complete):
        return job  # its answer was lost, and it says so again
    if job.state is not State.INPROGRESS:
        raise LeaseLost
    match settlement:
        case Complete():
            return _completed(job, settlement, now)
        case Fail():
            return _failed(job, settlement, queue, now)
        case Release():
            return _released(job, settlement, now)
        case Extend():
            return _extended(job, settlement, now)
        case Progress():
            return replace(
                job,
                updated=touched(job, now),
                extra=replace(job.more, progress=settlement.progress),
            )
        case _:
            assert_never(settlement)


def _ended(job: Job, event: Event, extra: Extra | None, now: int) -> Job:
    return replace(job, state=after(job.state, event), updated=touched(job, now), lease_ends=0, extra=extra)


def _released(job: Job, release: Release, now: int) -> Job:
    """The job, given back by its holder: it has its old place, and this was no attempt."""
    if release.saved is not None:
        job = replace(job, extra=replace(job.more, saved=release.saved))
    if job.more.is_to_stop and (job.expires <= now or not _leaves_more(job, release)):
        return _ended(job, Event.STOP, job.more.at_end(Reason.STOPPED), now)
    if job.expires <= now:
        return _ended(job, Event.EXPIRE_LATE, job.more.at_end(Reason.EXPIRED), now)
    extra = job.extra
    if job.more.is_to_stop:
        extra = replace(job.more, halted=False)  # handed out once more
    elif release.delay:
        extra = replace(job.more, not_before=now + release.delay)
    return replace(_put_back(job, Event.RELEASE, extra, now), attempt=job.attempt - 1)


def _leaves_more(job: Job, release: Release) -> bool:
    """Whether there is something that another holder is to end."""
    return release.saved is not None or (release.is_unseen and job.more.saved is not None)


def _completed(job: Job, settlement: Complete, now: int) -> Job:
    extra = job.extra
    if settlement.result is not None or extra is not None:
        extra = replace(job.more.at_end(None), result=settlement.result)
    return replace(job, state=_COMPLETED, updated=touched(job, now), lease_ends=0, extra=extra)


def _failed(job: Job, settlement: Fail, queue: Queue, now: int) -> Job:
    text = settlement.text[:FAILURE_TEXT_MOST]
    failure = Failure(job.attempt, now, Reason.ERROR, settlement.kind, text, job.worker)
    extra = replace(with_failure(job, failure), result=settlement.result)
    if extra.is_to_stop:
        return _ended(job, Event.STOP, extra.at_end(Reason.STOPPED), now)
    delay = _delay(job, settlement, queue)
    if delay is None or now + delay >= job.expires:
        return _ended(job, Event.FAIL, extra.at_end(Reason.ERROR), now)
    extra = replace(extra, not_before=now + delay if delay else 0)
    return _put_back(job, Event.RETRY, extra, now)


def _delay(job: Job, settlement: Fail, queue: Queue) -> int | None:
    """The time in ms until the next attempt; None when there is none."""
    rule = next((rule for rule in queue.error_rules if rule.kind == settlement.kind), None)
    backoff = (job.more.backoff or queue.backoff) if rule is None else rule.backoff
    is_final = backoff is None if settlement.retry is None else not settlement.retry
    if is_final or job.attempt >= attempts_of(job, queue):
        return None
    if settlement.delay is not None:
        return settlement.delay
    return (backoff or queue.backoff).delay(attempt=job.attempt, uid=job.uid)


def _put_back(job: Job, event: Event, extra: Extra | None, now: int) -> Job:
    return replace(
        job,
        state=after(job.state, event),
        updated=touched(job, now),
        lease_ends=0,
        claimer=None,
        worker=None,
        lease=0,
        extra=extra,
    )


def _extended(job: Job, settlement: Extend, now: int) -> Job:
    ends = now + settlement.by
    if job.more.timeout and job.more.started:  # one that was given a timeout meanwhile: from its next attempt
        ends = min(ends, job.more.started + job.more.timeout)
    return replace(job, updated=touched(job, now), lease_ends=ends)
