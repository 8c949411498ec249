"""How long something has run, without the time that it stood still."""

import time
from collections.abc import Callable


class Stopwatch:
    """Counts up to a limit, in seconds. It stands still until it is started."""

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._before = 0.0  # what it had counted when it last stood still
        self._started: float | None = None

    def start(self) -> None:
        """Count on."""
        if self._started is None:
            self._started = self._clock()

    def stop(self) -> None:
        """Stand still."""
        self._before, self._started = self.passed, None

    @property
    def passed(self) -> float:
        """The seconds that it has counted."""
        return self._before + (0 if self._started is None else self._clock() - self._started)

    @property
    def left(self) -> float | None:
        """The seconds until the limit; None while it stands still."""
        return None if self._started is None else max(0.0, self.seconds - self.passed)

    @property
    def is_over(self) -> bool:
        """Whether the limit is reached."""
        return self.passed >= self.seconds
