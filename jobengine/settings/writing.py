"""Values of options on the way out: as JSON has them, and as they are written in the file."""

import math
from typing import Any

import yaml

from jobengine.model.backoff import Backoff, ErrorRule
from jobengine.settings.durations import write_duration
from jobengine.settings.kinds import (
    Choice,
    Delays,
    Duration,
    Kind,
    Number,
    Pairs,
    Rules,
    Several,
    Size,
    Words,
)
from jobengine.settings.memory import write_size

FAIL = "fail"  # what is written of a kind of error after which there is no retry


def document(kind: Kind, value: Any) -> Any:
    """A legal value of this kind, in the types of JSON; the same is legal in the file."""
    match kind:
        case Several():
            return sorted(value)
        case Words():
            return list(value)
        case Pairs():
            return dict(value)
        case Choice():
            return None if value is None else str(value)
        case Number():
            return _shortest(value)
        case Size():
            size = "" if value is None else write_size(value)
            return size if size and not size.isdecimal() else value
        case Duration():
            return None if value is None else write_duration(value)
        case Delays():
            return _backoff(value)
        case Rules():
            return {rule.kind: _rule(rule) for rule in value}
    return value


def written(kind: Kind, value: object) -> str:
    """A legal value, as it would be written in the file."""
    text = yaml.safe_dump(
        document(kind, value), default_flow_style=True, sort_keys=False, allow_unicode=True, width=math.inf
    )
    return text.removesuffix("\n").removesuffix("\n...")


def _backoff(backoff: Backoff) -> object:
    if backoff.delays:
        return [write_duration(delay) for delay in backoff.delays]
    return {
        "from": write_duration(backoff.first),
        "factor": _shortest(backoff.factor),
        "to": write_duration(backoff.most),
        "jitter": _shortest(backoff.jitter),
    }


def _rule(rule: ErrorRule) -> object:
    return FAIL if rule.backoff is None else _backoff(rule.backoff)


def _shortest(number: float) -> float:
    return int(number) if number == int(number) else number
