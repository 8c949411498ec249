"""Times as a filter writes them."""

import calendar
import re
from typing import Final

_UNITS_MS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_RELATIVE: Final = re.compile(
    r"now(?:\s*(?P<sign>[+-])\s*(?P<count>[0-9]{1,9}(?:\.[0-9]{1,3})?)(?P<unit>ms|[smhd]))?", re.IGNORECASE
)
_ABSOLUTE: Final = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
    r"(?:\.(?P<fraction>[0-9]{1,9}))?(?:[Zz]|(?P<sign>[+-])(?P<hours>[0-9]{2}):(?P<minutes>[0-9]{2}))"
)


def relative(text: str, at: int, now: int) -> tuple[int, int] | None:
    """The time, and where its text ends, when `now`, or a time so far from it, stands there."""
    found = _RELATIVE.match(text, at)
    if found is None:
        return None
    if found["sign"] is None:
        return now, found.end()
    length = round(float(found["count"]) * _UNITS_MS[found["unit"].lower()])
    return now + (length if found["sign"] == "+" else -length), found.end()


def absolute(text: str) -> int | None:
    """A time of RFC 3339 in milliseconds since the Unix epoch; None of any other text."""
    found = _ABSOLUTE.fullmatch(text)
    if found is None:
        return None
    hour, minute, second = int(found["hour"]), int(found["minute"]), int(found["second"])
    hours, minutes = int(found["hours"] or 0), int(found["minutes"] or 0)
    if hour > 23 or minute > 59 or second > 59 or hours > 23 or minutes > 59:
        return None
    midnight = _midnight(found["day"])
    if midnight is None:
        return None
    offset = (hours * 60 + minutes) * (-1 if found["sign"] == "-" else 1)
    seconds = midnight + (hour * 60 + minute - offset) * 60 + second
    return seconds * 1000 + int((found["fraction"] or "0").ljust(3, "0")[:3])


def _midnight(day: str) -> int | None:
    """When a day begins, in seconds since the Unix epoch; None of a day that no calendar has."""
    year, month, number = map(int, day.split("-"))
    if not (year and 1 <= month <= 12 and 1 <= number <= calendar.monthrange(year, month)[1]):
        return None
    return calendar.timegm((year, month, number, 0, 0, 0))
