"""One job as a filter looks at it."""

import json
from enum import Enum
from functools import cached_property
from typing import Final

import msgspec

from jobengine.model.job import Job


class Sign(Enum):
    """What JSON has besides texts and numbers. In Python true would be equal to 1."""

    NULL = "null"
    TRUE = "true"
    FALSE = "false"
    NESTED = "an object or a list"  # equal to nothing that a filter can say


Value = str | int | float | Sign
Step = str | int  # the name of a member, or the place in a list
NOTHING: Final = object()

_SIGNS: Final[dict[object, Sign]] = {None: Sign.NULL, True: Sign.TRUE, False: Sign.FALSE}


class Look:
    """A job with its values. Their JSON is decoded when a path first leads into it, and once."""

    def __init__(self, job: Job, content: bytes, result: bytes) -> None:
        self.job = job
        self._content = content
        self._result = result

    @cached_property
    def content(self) -> object:
        """What the content says; NOTHING where it is not at hand."""
        return _decoded(self._content)

    @cached_property
    def result(self) -> object:
        """What the result says; NOTHING of a job without one."""
        return _decoded(self._result)


def at(value: object, path: tuple[Step, ...]) -> tuple[Value, ...]:
    """The one value to which a path leads, or none."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step, NOTHING)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return ()
    if value is NOTHING:
        return ()
    if value is None or isinstance(value, bool):
        return (_SIGNS[value],)
    return (value if isinstance(value, str | int | float) else Sign.NESTED,)


def _decoded(value: bytes) -> object:
    if not value:
        return NOTHING
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:  # an integer that is longer than msgspec takes
        return json.loads(value, parse_int=float)
