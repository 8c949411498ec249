"""The broker's own clock."""

import time
from collections.abc import Callable


def wall_ms() -> int:
    """The wall clock, in ms since the Unix epoch."""
    return time.time_ns() // 1_000_000


def steady_ms() -> int:
    """Milliseconds since the machine started, suspended time included; never set back."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


class Clock:
    """Set once when the broker starts, steady from then on: a wall clock that jumps changes nothing."""

    def __init__(
        self, *, wall: Callable[[], int] = wall_ms, steady: Callable[[], int] = steady_ms, at_least: int = 0
    ) -> None:
        self._steady = steady
        self._offset = max(wall(), at_least) - steady()

    def now(self) -> int:
        """Milliseconds since the Unix epoch."""
        return self._steady() + self._offset
