"""What people do to jobs: to one, or to each of many."""

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from jobengine.errors import BadState, JobEngineError, NotFound, QueueFull, VersionChanged
from jobengine.model.blob import length_of
from jobengine.model.changes import Change, DropJob, DropLog, PutJob, change
from jobengine.model.commands import Act, Answer, Control, Outcome
from jobengine.model.decision import Decision
from jobengine.model.extra import Extra, Reason
from jobengine.model.job import NEVER, Job, order_of, weight
from jobengine.model.moment import Moment
from jobengine.model.rules.passing import as_of, current, touched, unique_holder
from jobengine.model.states import Event, State, after
from jobengine.model.view import View


class _Doing(Struct):
    """One Control, while it is decided."""

    view: View
    command: Control
    moment: Moment
    arrivals: Iterator[int]
    keys: set[tuple[str, str]]  # queue, unique key: of the jobs that were given theirs again
    clones: int = 0  # made so far
    clone_bytes: int = 0  # of memory that they take
    content_bytes: int = 0  # of their contents


class _Done(Struct):
    """What becomes of one job."""

    changes: tuple[Change, ...]
    job: Job


def control(view: View, command: Control, moment: Moment) -> Decision[Answer]:
    """Do it to each of the jobs; one that is refused does not hinder the others. Raises NotFound."""
    view.queue(command.queue)
    if command.target is not None:
        view.queue(command.target)
    doing = _Doing(view, command, moment, count(view.next_arrival), set())
    act = _ACTS[command.act]
    expected = dict(zip(command.uids, command.versions, strict=True)) if command.versions else {}
    changes: list[Change] = []
    outcomes: list[Outcome] = []
    for uid in dict.fromkeys(command.uids):
        try:
            job = current(view, command.queue, uid, moment)
            if expected.get(uid, job.updated) != job.updated:
                raise VersionChanged
            done = act(doing, job)
        except JobEngineError as refusal:
            outcomes.append(refusal)
        else:
            changes += done.changes
            outcomes.append(done.job)
    return Decision(tuple(changes), tuple(outcomes))


def _delete(_doing: _Doing, job: Job) -> _Done:
    return _Done((DropJob(job.queue, job.uid),), job)


def _stop(doing: _Doing, job: Job) -> _Done:
    """One that has left something for its next attempt is handed out once more: for that to be ended."""
    _check_has_not_ended(job)
    if job.state is State.INPROGRESS:
        return _altered(doing, job, replace(job.more, is_to_stop=True))
    if job.more.saved is not None and not job.more.is_to_stop:
        return _altered(doing, job, replace(job.more, is_to_stop=True, halted=False, not_before=0))
    stopped = replace(job, state=after(job.state, Event.STOP), lease_ends=0)
    return _altered(doing, stopped, job.more.at_end(Reason.STOPPED))


def _halt(doing: _Doing, job: Job) -> _Done:
    _check_has_not_ended(job)
    if job.state is State.QUEUED and job.more.is_to_stop:
        raise BadState("it is being stopped")
    return _Done((), job) if job.more.halted else _altered(doing, job, replace(job.more, halted=True))


def _resume(doing: _Doing, job: Job) -> _Done:
    _check_has_not_ended(job)
    return _altered(doing, job, replace(job.more, halted=False)) if job.more.halted else _Done((), job)


def _retry(doing: _Doing, job: Job) -> _Done:
    if job.state is State.INPROGRESS:
        raise BadState("somebody has it in progress; stop it first")
    if job.state is State.QUEUED:
        return (
            _altered(doing, job, replace(job.more, not_before=0)) if job.more.not_before else _Done((), job)
        )
    _check_key_is_free(doing, job, job.queue)
    return _stored(doing, job, _revived(doing, job))


def _move(doing: _Doing, job: Job) -> _Done:
    if job.state is State.INPROGRESS:
        raise BadState("somebody has it in progress; it can be moved when it is queued or has ended")
    target = _target(doing)
    if target == job.queue:
        return _Done((), job)
    order = order_of(priority=job.priority, arrival=next(doing.arrivals))
    return _transferred(doing, job, replace(job, queue=target, order=order))


def _clone(doing: _Doing, job: Job) -> _Done:
    now = doing.moment.now
    target = doing.command.target or job.queue
    _check_takes_jobs(doing, target)
    clone = Job(
        doing.moment.uid(doing.clones + 1),
        target,
        after(State.GONE, Event.CREATE),
        order_of(priority=job.priority, arrival=next(doing.arrivals)),
        job.content,
        created=now,
        updated=now,
        expires=NEVER if job.expires == NEVER else now + (job.expires - job.created),
        extra=_options_of(job),
    )
    if not doing.view.has_room_for(doing.clone_bytes + weight(clone)):
        raise QueueFull("the jobs take all the memory that limits.memory allows")
    _check_has_place(doing, clone)
    doing.clones += 1
    doing.clone_bytes += weight(clone)
    doing.content_bytes += length_of(clone.content)
    return _Done((PutJob(clone),), clone)


def _redrive(doing: _Doing, job: Job) -> _Done:
    if job.state is State.INPROGRESS:
        raise BadState("somebody has it in progress")
    target = doing.command.target or job.more.died_in
    if target is None:
        raise BadState("it is no dead letter: move it instead")
    if doing.view.find_queue(target) is None:
        raise BadState("the queue that it died in is not there any more: move it instead")
    revived = _revived(doing, job)
    home = replace(revived, queue=target, extra=replace(revived.more, died_in=None))
    return _transferred(doing, job, home)


_ACTS: Final[Mapping[Act, Callable[[_Doing, Job], _Done]]] = {
    Act.DELETE: _delete,
    Act.STOP: _stop,
    Act.HALT: _halt,
    Act.RESUME: _resume,
    Act.RETRY: _retry,
    Act.MOVE: _move,
    Act.CLONE: _clone,
    Act.REDRIVE: _redrive,
}


def _check_has_not_ended(job: Job) -> None:
    if job.has_ended:
        raise BadState(f"it is {job.state} already")


def _check_takes_jobs(doing: _Doing, queue: str) -> None:
    if doing.view.queue(queue).is_draining:
        raise BadState("that queue is being drained: it takes no more jobs")


def _check_has_place(doing: _Doing, clone: Job) -> None:
    """A clone is a new job: the limits of its queue hold for it, and none goes for it. Raises QueueFull."""
    queue, waiting = doing.view.queue(clone.queue), doing.view.waiting(clone.queue)
    content_bytes = waiting.bytes + doing.content_bytes + length_of(clone.content)
    is_full = queue.max_jobs and waiting.jobs + doing.clones >= queue.max_jobs
    if is_full or (queue.max_bytes and content_bytes > queue.max_bytes):
        raise QueueFull(f"the queue is full: see max_jobs and max_bytes of {queue.name}")


def _check_key_is_free(doing: _Doing, job: Job, queue: str) -> None:
    if job.more.unique is None:
        return
    holder = unique_holder(doing.view, doing.view.queue(queue), job.more.unique.key, doing.moment.now)
    if (queue, job.more.unique.key) in doing.keys or (holder is not None and holder.uid != job.uid):
        raise BadState("another job has its unique key now")
    doing.keys.add((queue, job.more.unique.key))


def _target(doing: _Doing) -> str:
    if doing.command.target is None:
        raise BadState("say which queue it is to go to")
    return doing.command.target


def _altered(doing: _Doing, job: Job, extra: Extra) -> _Done:
    return _stored(doing, job, replace(job, updated=touched(job, doing.moment.now), extra=extra))


def _stored(doing: _Doing, job: Job, after_it: Job) -> _Done:
    before = doing.view.job(job.queue, job.uid)
    if before is None:
        raise NotFound
    return _Done((change(before, after_it),), after_it)


def _transferred(doing: _Doing, job: Job, there: Job) -> _Done:
    """It leaves its queue for the one that it is `there` in."""
    _check_takes_jobs(doing, there.queue)
    stored = doing.view.job(there.queue, there.uid)
    target = doing.view.queue(there.queue)
    if stored is not None and as_of(stored, target, doing.moment.now) is not None:
        raise BadState("that queue has a job with this uid")
    _check_key_is_free(doing, there, there.queue)
    there = replace(there, updated=touched(job, doing.moment.now))
    changes: list[Change] = [DropJob(job.queue, job.uid), PutJob(there)]
    if doing.view.log(there.queue, there.uid) is not None:  # of one with its uid that is gone
        changes.insert(1, DropLog(there.queue, there.uid))
    return _Done(tuple(changes), there)


def _revived(doing: _Doing, job: Job) -> Job:
    """The job, to be done again: behind its equals, and without end when its own has gone by."""
    now = doing.moment.now
    extra = job.extra
    if extra is not None:
        extra = replace(extra, not_before=0, reason=None, result=None, progress=None, halted=False)
    return replace(
        job,
        state=after(job.state, Event.REVIVE),
        order=order_of(priority=job.priority, arrival=next(doing.arrivals)),
        updated=touched(job, now),
        expires=job.expires if job.expires > now else NEVER,
        lease_ends=0,
        attempt=0,
        claimer=None,
        worker=None,
        lease=0,
        extra=extra,
    )


def _options_of(job: Job) -> Extra | None:
    """What was asked for the job when it was made. Its unique key is its own."""
    extra = Extra(
        max_attempts=job.more.max_attempts,
        timeout=job.more.timeout,
        backoff=job.more.backoff,
        tags=job.more.tags,
    )
    return None if extra == Extra() else extra
