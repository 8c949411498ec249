"""One job as the documentation describes it: what an operation makes of it, and may answer.

Shares no code with the broker: for a mistake to pass, both would have to make it.
"""

from collections.abc import Iterator
from enum import Enum, auto

from msgspec import Struct
from msgspec.structs import replace

from tests.crash.ledger import Event
from tests.crash.operations import (
    Again,
    Append,
    Claim,
    Create,
    Delete,
    Get,
    Job,
    Operation,
    Settle,
    Update,
    content,
    read_job,
    read_lease,
)

NO_EFFECT = frozenset({429, 503, 507})  # refused whatever the job is like
STOPPING = 503
ANSWERED = frozenset({200, 201, 204, 403, 404, 409}) | NO_EFFECT


class Living(Struct, frozen=True):
    """A job that is there, seen or not."""

    state: str
    priority: int
    content: bytes
    claimer: str | None = None
    lease: str | None = None  # that its claimer was told of
    log: tuple[str | None, bytes] = (None, b"")  # what was written, and under which lease
    shown: Job | None = None  # as it was last shown, unless something happened since
    identity: tuple[str, int, int] | None = None  # uid, created, timeout_time: these never change here

    def fits(self, job: Job) -> bool:
        """Whether it may be shown so."""
        same_values = (job.state, job.priority, job.content) == (self.state, self.priority, self.content)
        same_job = self.identity is None or self.identity == _identity(job)
        same_log = job.log is None or job.log == self.log[1]
        same_look = self.shown is None or self.shown == replace(job, log=None)
        return same_values and same_job and same_log and same_look

    def seen(self, job: Job) -> "Living":
        """The same, now that it was shown so."""
        return replace(self, shown=replace(job, log=None), identity=_identity(job))


Life = Living | None  # None: there is no such job


class Effect(Enum):
    """What comes of an operation."""

    DONE = auto()
    NOT_FOUND = auto()
    FORBIDDEN = auto()
    LEASE_LOST = auto()
    NOTHING = auto()  # no job can be claimed that is not queued


REFUSALS = {403: Effect.FORBIDDEN, 404: Effect.NOT_FOUND, 409: Effect.LEASE_LOST}


def after(before: Life, event: Event) -> Iterator[Life]:
    """The job when this event has happened to it; nothing at all when it cannot have happened."""
    life, effect = _apply(before, event)
    if effect is Effect.DONE and before is not None and is_open_claim(event):
        yield _changed(before)  # handed out, and given back: nobody was there any more to hear of it
    if event.outcome is None:
        if effect is Effect.DONE:
            yield life
        return
    status = event.outcome.status
    if status in NO_EFFECT:
        yield before
    elif status in REFUSALS:
        if effect is REFUSALS[status]:
            yield before
    elif effect is Effect.DONE and status == 204 and (life is None or isinstance(event.operation, Append)):
        yield life
    elif effect is Effect.DONE and status in (200, 201) and life is not None:
        job = read_job(event.outcome.body)
        if life.fits(job):
            yield life.seen(job)


def is_open_claim(event: Event) -> bool:
    """A claim that was not answered, or with that the server stops: nobody knows what it took."""
    is_open = event.outcome is None or event.outcome.status == STOPPING
    return is_open and isinstance(event.operation, Claim)


def is_possible_answer(event: Event) -> bool:
    """Whether a server that may be killed, but has a good disk, can have answered so."""
    return event.outcome is None or (
        event.outcome.status in ANSWERED and b"outcome_unknown" not in event.outcome.body
    )


def _apply(before: Life, event: Event) -> tuple[Life, Effect]:
    number, operation = event.number, event.operation
    match operation:
        case Create():
            new = content(number, written=number, size=operation.size)
            return Living("queued", operation.priority, new), Effect.DONE
        case Claim():
            if before is None or before.state != "queued":
                return before, Effect.NOTHING
            lease = None if is_open_claim(event) or event.outcome is None else read_lease(event.outcome.body)
            return _changed(before, state="inprogress", claimer=operation.service, lease=lease), Effect.DONE
        case Again(job=job, priority=priority, size=size):
            known = before or Living("queued", priority, content(job, written=job, size=size))
            return known, Effect.DONE
        case _ if before is None:
            return before, Effect.NOT_FOUND
        case _:
            return _done(before, number, operation)


def _done(before: Living, number: int, operation: Operation) -> tuple[Life, Effect]:
    match operation:
        case Get():
            return before, Effect.DONE
        case Append():
            return _written(before, operation)
        case Delete():
            return None, Effect.DONE
        case Update():
            if not operation.may_write and before.claimer != operation.service:
                return before, Effect.FORBIDDEN
            return _updated(before, number, operation), Effect.DONE
        case Settle():
            return _settled(before, operation)
        case _:
            raise AssertionError(f"not done to a job that is there: {operation}")


def _updated(before: Living, number: int, update: Update) -> Living:
    life = _changed(before)
    if update.state is not None:
        life = replace(life, lease=None)
    if update.priority is not None:
        life = replace(life, priority=update.priority)
    if update.size is not None:
        life = replace(life, content=content(update.job, written=number, size=update.size))
    if update.state is not None:
        stays = update.state != "queued" and before.claimer == update.service
        life = replace(life, state=update.state, claimer=before.claimer if stays else None)
    return life


def _settled(before: Living, settle: Settle) -> tuple[Living, Effect]:
    if before.lease != settle.lease:
        return before, Effect.LEASE_LOST
    if before.state == "complete" and settle.verb == "complete":
        return before, Effect.DONE  # said again
    if before.state != "inprogress":
        return before, Effect.LEASE_LOST
    match settle.verb:
        case "release":
            return _changed(before, state="queued", claimer=None, lease=None), Effect.DONE
        case "fail":
            return _changed(before, state="failed"), Effect.DONE
        case _:
            return _changed(before, state="complete"), Effect.DONE


def _written(before: Living, append: Append) -> tuple[Living, Effect]:
    if before.state != "inprogress" or before.lease != append.lease:
        return before, Effect.LEASE_LOST
    there = before.log[1] if before.log[0] == append.lease else b""
    rest = append.text.encode()[len(there) - append.offset :]
    return replace(before, log=(append.lease, there + rest)), Effect.DONE


def _changed(life: Living, **values: str | None) -> Living:
    return replace(life, shown=None, **values)


def _identity(job: Job) -> tuple[str, int, int]:
    return job.uid, job.created, job.timeout_time
