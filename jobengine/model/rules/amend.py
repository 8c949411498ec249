"""What a writer changes of a job through API v2."""

from itertools import count
from typing import TypeVar

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from jobengine.errors import BadState, NotFound, QueueFull, VersionChanged
from jobengine.model.changes import Change, DropJob
from jobengine.model.commands import Amend, Answer
from jobengine.model.decision import Decision
from jobengine.model.extra import Extra
from jobengine.model.job import Job, order_of, weight
from jobengine.model.moment import Moment
from jobengine.model.rules.failing import stored
from jobengine.model.rules.passing import current, touched
from jobengine.model.states import State
from jobengine.model.view import View

ValueT = TypeVar("ValueT")


def amend(view: View, command: Amend, moment: Moment) -> Decision[Answer]:
    """Change what the command names, all or nothing. Raises NotFound, VersionChanged, BadState, QueueFull."""
    job = current(view, command.queue, command.uid, moment)
    if command.version is not None and command.version != job.updated:
        raise VersionChanged
    if command.not_before is not UNSET and job.state is not State.QUEUED:
        raise BadState(f"a job that is {job.state} waits for nothing: it has no not_before")
    amended = replace(
        job,
        order=_order(view, job, command),
        content=_or(command.content, job.content),
        updated=touched(job, moment.now),
        expires=_or(command.expires, job.expires),
        extra=_extra(job, command),
    )
    return Decision(_changes(view, amended, moment), amended)


def _order(view: View, job: Job, command: Amend) -> int:
    if command.priority is UNSET or command.priority == job.priority:
        return job.order
    return order_of(priority=command.priority, arrival=view.next_arrival)


def _or(new: ValueT | UnsetType, old: ValueT) -> ValueT:
    return old if isinstance(new, UnsetType) else new


def _extra(job: Job, command: Amend) -> Extra | None:
    named = (command.not_before, command.max_attempts, command.timeout, command.backoff, command.tags)
    if all(value is UNSET for value in named):
        return job.extra
    extra = job.more
    return replace(
        extra,
        not_before=_or(command.not_before, extra.not_before),
        max_attempts=_or(command.max_attempts, extra.max_attempts),
        timeout=_or(command.timeout, extra.timeout),
        backoff=_or(command.backoff, extra.backoff),
        tags=_or(command.tags, extra.tags),
    )


def _changes(view: View, job: Job, moment: Moment) -> tuple[Change, ...]:
    if job.state is State.QUEUED and job.expires <= moment.now:
        return (DropJob(job.queue, job.uid),)
    before = view.job(job.queue, job.uid)
    if before is None:
        raise NotFound
    if not view.has_room_for(weight(job) - weight(before)):
        raise QueueFull("the jobs take all the memory that limits.memory allows")
    return stored(view, before, job, count(view.next_arrival + 1))
