"""What of a job a filter can ask about."""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Final

from msgspec import Struct

from jobengine.model.extra import Reason
from jobengine.model.filters.conditions import Values
from jobengine.model.filters.look import Look, Step, Value, at
from jobengine.model.job import NEVER
from jobengine.model.order import LIVING


class Kind(Enum):
    """What a field holds, and so what it is compared with."""

    WORD = auto()  # one of a few
    NUMBER = auto()
    TIME = auto()
    TEXT = auto()
    JSON = auto()  # whatever stands there


class Field(Struct, frozen=True):
    """One field of a job."""

    kind: Kind
    values: Values
    words: tuple[str, ...] = ()  # of a WORD: all there are


def _present(value: Value | None) -> tuple[Value, ...]:
    """What is empty is not there: None, no text, and the time 0."""
    return (value,) if value else ()


def _expires(look: Look) -> tuple[Value, ...]:
    return () if look.job.expires == NEVER else (look.job.expires,)


def _unique_key(look: Look) -> tuple[Value, ...]:
    unique = look.job.more.unique
    return () if unique is None else (unique.key,)


def _errors(look: Look) -> tuple[Value, ...]:
    return tuple(failure.text for failure in look.job.more.failures if failure.text)


def _kinds(look: Look) -> tuple[Value, ...]:
    return tuple(failure.kind for failure in look.job.more.failures if failure.kind)


STATE: Final = Field(Kind.WORD, lambda look: (look.job.state,), LIVING)

FIELDS: Final[Mapping[str, Field]] = {
    "state": STATE,
    "priority": Field(Kind.NUMBER, lambda look: (look.job.priority,)),
    "tag": Field(Kind.TEXT, lambda look: look.job.more.tags),
    "created": Field(Kind.TIME, lambda look: (look.job.created,)),
    "last_updated": Field(Kind.TIME, lambda look: (look.job.updated,)),
    "expires": Field(Kind.TIME, _expires),
    "not_before": Field(Kind.TIME, lambda look: _present(look.job.more.not_before)),
    "attempt": Field(Kind.NUMBER, lambda look: (look.job.attempt,)),
    "reason": Field(Kind.WORD, lambda look: _present(look.job.reason), tuple(Reason)),
    "worker": Field(Kind.TEXT, lambda look: _present(look.job.worker)),
    "service": Field(Kind.TEXT, lambda look: _present(look.job.claimer)),
    "unique_key": Field(Kind.TEXT, _unique_key),
    "uid": Field(Kind.TEXT, lambda look: (look.job.uid,)),
    "error": Field(Kind.TEXT, _errors),
    "kind": Field(Kind.TEXT, _kinds),
}


def _in_content(path: tuple[Step, ...], look: Look) -> tuple[Value, ...]:
    return at(look.content, path)


def _in_result(path: tuple[Step, ...], look: Look) -> tuple[Value, ...]:
    return at(look.result, path)


Paths = Callable[[tuple[Step, ...], Look], tuple[Value, ...]]

DOCUMENTS: Final[Mapping[str, Paths]] = {"content": _in_content, "result": _in_result}
