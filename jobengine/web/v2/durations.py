"""Durations and times as API v2 writes them. Inside they are integer milliseconds."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import ClassVar, Final, Self

from jobengine.model.job import NEVER

SECOND_MS: Final = 1000
HOUR_MS: Final = 3600 * SECOND_MS
TEN_YEARS_MS: Final = 10 * 365 * 24 * HOUR_MS

_UNITS_MS: Final[Mapping[str | None, int]] = {
    None: SECOND_MS,
    "ms": 1,
    "s": SECOND_MS,
    "m": 60 * SECOND_MS,
    "h": HOUR_MS,
    "d": 24 * HOUR_MS,
}
_DURATION: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)(ms|s|m|h|d)?", re.ASCII)
_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class Duration(int):
    """A number of seconds, or a text with a unit. As an integer: milliseconds."""

    least: ClassVar[int] = 0
    most: ClassVar[int] = TEN_YEARS_MS

    @classmethod
    def parse(cls, value: object) -> Self:
        """Raises ValueError."""
        milliseconds = _milliseconds(value)
        if not cls.least <= milliseconds <= cls.most:
            raise ValueError(f"must be from {in_words(cls.least)} to {in_words(cls.most)}")
        return cls(round(milliseconds))

    @classmethod
    def schema(cls) -> dict[str, object]:
        """As JSON Schema says it."""
        seconds = {"minimum": cls.least / SECOND_MS, "maximum": cls.most / SECOND_MS}
        return {
            "anyOf": [
                {"type": "number", **seconds},
                {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,6})?(ms|s|m|h|d)?$"},
            ],
            "description": f"seconds, or a text like 250ms, 90s, 10m, 2h, 7d; "
            f"from {in_words(cls.least)} to {in_words(cls.most)}",
        }


class Delay(Duration):
    """Until something may happen."""


class ValidFor(Duration):
    """That a job may wait in its queue."""

    least = SECOND_MS


class Timeout(Duration):
    """That one attempt may take."""

    least = 1


class Window(Duration):
    """For which a unique key keeps others out."""

    least = 1


class Lease(Duration):
    """That a claimed job is its claimer's."""

    least = SECOND_MS
    most = 24 * HOUR_MS


class Wait(Duration):
    """That a caller waits for its answer."""

    most = 60 * SECOND_MS

    @property
    def seconds(self) -> float:
        """As the engine takes it."""
        return self / SECOND_MS


class Time(int):
    """A moment, as RFC 3339 writes it. As an integer: milliseconds since the Unix epoch."""

    @classmethod
    def parse(cls, value: object) -> Self:
        """Raises ValueError."""
        if not isinstance(value, str) or not _TIME.fullmatch(value):
            raise ValueError("must be a time as RFC 3339 writes it, like 2026-01-31T10:00:00Z")
        try:
            moment = datetime.fromisoformat(value.upper())
        except ValueError:
            raise ValueError("there is no such day, or no such time of day") from None
        return cls(min(max((moment - _EPOCH) // _MILLISECOND, 0), NEVER))

    @classmethod
    def schema(cls) -> dict[str, object]:
        """As JSON Schema says it."""
        return {"type": "string", "format": "date-time"}


def in_words(milliseconds: int) -> str:
    """A duration in its largest unit that leaves no rest."""
    for unit in ("d", "h", "m", "s"):
        count, rest = divmod(milliseconds, _UNITS_MS[unit])
        if count and not rest:
            return f"{count}{unit}"
    return f"{milliseconds}ms"


def in_seconds(milliseconds: int) -> float:
    """A duration as the answers of API v2 show it; whole seconds without a fraction."""
    seconds, rest = divmod(milliseconds, SECOND_MS)
    return milliseconds / SECOND_MS if rest else seconds


@lru_cache(maxsize=4096)
def time_text(milliseconds: int) -> bytes:
    """A time in UTC, as RFC 3339 writes it."""
    moment = _EPOCH + timedelta(seconds=milliseconds // SECOND_MS)
    return b"%b.%03dZ" % (moment.isoformat()[:19].encode(), milliseconds % SECOND_MS)


def _milliseconds(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return min(max(value, -1), 1e12) * SECOND_MS
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be a number of seconds, or a text like 250ms, 90s, 10m, 2h, 7d")
    return float(found[1]) * _UNITS_MS[found[2]]
