"""What callers say in Python's words, as API v2 says it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

Duration = float | timedelta  # a number is one of seconds
Backoff = Mapping[str, float] | Sequence[Duration]  # {"from", "factor", "to", "jitter"}, or a list of delays


def seconds(duration: Duration) -> float:
    """A duration in seconds."""
    return duration.total_seconds() if isinstance(duration, timedelta) else duration


def time(moment: datetime) -> str:
    """A time as RFC 3339 writes it. Raises ValueError for one that does not say its time zone."""
    if moment.tzinfo is None:
        raise ValueError("a time needs its time zone: datetime.now(UTC), for example")
    return moment.isoformat()


def backoff(delays: Backoff) -> object:
    """How long to wait after each failed attempt."""
    return dict(delays) if isinstance(delays, Mapping) else [seconds(delay) for delay in delays]


def json(value: object) -> bytes:
    """As bytes. Raises TypeError for what JSON cannot say."""
    return msgspec.json.encode(value)


def said(**fields: object) -> dict[str, object]:
    """Those fields that are not None: what is not said is left to the broker."""
    return {name: value for name, value in fields.items() if value is not None}
