"""Time that passes when a test says so."""

import asyncio

from jobengine.engine.clock import Clock

MS = 1000


class MovedLoop(asyncio.SelectorEventLoop):
    """An event loop that can be ahead of the machine: what is due by then happens at once."""

    ahead: float = 0.0  # seconds

    def time(self) -> float:
        """Seconds, as of no particular moment."""
        return super().time() + self.ahead


class MovedTime:
    """What the broker's clocks show. The time of its jobs stands still until it is moved."""

    def __init__(self, start_ms: int) -> None:
        self._start_ms = start_ms
        self._passed_ms = 0

    @property
    def now_ms(self) -> int:
        """In ms since the Unix epoch."""
        return self._start_ms + self._passed_ms

    def move(self, seconds: float) -> None:
        """So much has passed, also for the loop that this runs in."""
        loop = asyncio.get_running_loop()
        if isinstance(loop, MovedLoop):
            loop.ahead += seconds
        self._passed_ms += round(seconds * MS)

    def clock(self) -> Clock:
        """The broker's clock."""
        return Clock(wall=lambda: self._start_ms, steady=lambda: self._passed_ms)
