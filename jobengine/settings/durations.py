"""How durations are written: a number of seconds, or "250ms", "90s", "10m", "2h", "7d"."""

import re
from typing import Final

# From the longest to the shortest.
_UNITS: Final = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_DURATION: Final = re.compile(r"(?P<number>[0-9]{1,12}(\.[0-9]{1,6})?)(?P<unit>ms|s|m|h|d|)", re.ASCII)


def parse_duration(text: str) -> int | None:
    """The milliseconds that "90s", "1.5h" or "90" stand for; None if it is no duration."""
    found = _DURATION.fullmatch(text)
    return round(float(found["number"]) * _UNITS[found["unit"] or "s"]) if found else None


def write_duration(milliseconds: int) -> str:
    """The shortest way to write so long a time, without a fraction."""
    for unit, size in _UNITS.items():
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return "0s"
