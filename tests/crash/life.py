"""One job as the documentation describes it: what an operation makes of it, and may answer.

Shares no code with the broker: for a mistake to pass, both would have to make it.
"""

from collections.abc import Iterator
from enum import Enum, auto

from msgspec import Struct
from msgspec.structs import replace

from tests.crash.ledger import Event
from tests.crash.operations import Claim, Create, Delete, Get, Job, Operation, Update, content, read_job

NO_EFFECT = frozenset({429, 503, 507})  # refused whatever the job is like
ANSWERED = frozenset({200, 201, 204, 403, 404}) | NO_EFFECT


class Living(Struct, frozen=True):
    """A job that is there, seen or not."""

    state: str
    priority: int
    content: bytes
    claimer: str | None = None
    shown: Job | None = None  # as it was last shown, unless something happened since
    identity: tuple[str, int, int] | None = None  # uid, created, timeout_time: these never change here

    def fits(self, job: Job) -> bool:
        """Whether it may be shown so."""
        same_values = (job.state, job.priority, job.content) == (self.state, self.priority, self.content)
        same_job = self.identity is None or self.identity == _identity(job)
        return same_values and same_job and (self.shown is None or self.shown == job)

    def seen(self, job: Job) -> "Living":
        """The same, now that it was shown so."""
        return replace(self, shown=job, identity=_identity(job))


Life = Living | None  # None: there is no such job


class Effect(Enum):
    """What comes of an operation."""

    DONE = auto()
    NOT_FOUND = auto()
    FORBIDDEN = auto()
    NOTHING = auto()  # no job can be claimed that is not queued


def after(before: Life, event: Event) -> Iterator[Life]:
    """The job when this event has happened to it; nothing at all when it cannot have happened."""
    life, effect = _apply(before, event.number, event.operation)
    if event.outcome is None:
        if effect is Effect.DONE:
            yield life
        return
    status = event.outcome.status
    if status in NO_EFFECT:
        yield before
    elif status in (403, 404):
        if effect is (Effect.FORBIDDEN if status == 403 else Effect.NOT_FOUND):
            yield before
    elif effect is Effect.DONE and status == 204 and life is None:
        yield None
    elif effect is Effect.DONE and status in (200, 201) and life is not None:
        job = read_job(event.outcome.body)
        if life.fits(job):
            yield life.seen(job)


def is_possible_answer(event: Event) -> bool:
    """Whether a server that may be killed, but has a good disk, can have answered so."""
    return event.outcome is None or (
        event.outcome.status in ANSWERED and b"outcome_unknown" not in event.outcome.body
    )


def _apply(before: Life, number: int, operation: Operation) -> tuple[Life, Effect]:
    match operation:
        case Create():
            new = content(number, written=number, size=operation.size)
            return Living("queued", operation.priority, new), Effect.DONE
        case Claim():
            if before is None or before.state != "queued":
                return before, Effect.NOTHING
            return _changed(before, state="inprogress", claimer=operation.service), Effect.DONE
        case _ if before is None:
            return before, Effect.NOT_FOUND
        case Get():
            return before, Effect.DONE
        case Delete():
            return None, Effect.DONE
        case Update():
            if not operation.may_write and before.claimer != operation.service:
                return before, Effect.FORBIDDEN
            return _updated(before, number, operation), Effect.DONE


def _updated(before: Living, number: int, update: Update) -> Living:
    life = _changed(before)
    if update.priority is not None:
        life = replace(life, priority=update.priority)
    if update.size is not None:
        life = replace(life, content=content(update.job, written=number, size=update.size))
    if update.state is not None:
        stays = update.state != "queued" and before.claimer == update.service
        life = replace(life, state=update.state, claimer=before.claimer if stays else None)
    return life


def _changed(life: Living, **values: str) -> Living:
    return replace(life, shown=None, **values)


def _identity(job: Job) -> tuple[str, int, int]:
    return job.uid, job.created, job.timeout_time
