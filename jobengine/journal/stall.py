"""A watch over the write under way: a disk that hangs keeps nobody waiting in silence."""

from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable
from typing import Final

import structlog

from jobengine.errors import OutcomeUnknown, Unavailable

# By the clock of the event loop. A disk that is only busy answers within the first of them.
SLOW_SECONDS: Final = 10.0
HUNG_SECONDS: Final = 30.0
_EARLY_SECONDS: Final = 0.01  # that a timer may come before its time: looking again at once, it would spin

_NOT_TAKEN: Final = (
    f"the disk has not answered for {SLOW_SECONDS:.0f} s, and nothing new is taken until it does; look "
    "at it, then ask again"
)
_UNKNOWN: Final = (
    f"the disk has not answered for {HUNG_SECONDS:.0f} s, and nobody knows whether the change survives; "
    "look again when it answers"
)

log = structlog.get_logger(__name__)


class Stall:
    """How long the write under way has taken, when that is too long."""

    def __init__(self, loop: AbstractEventLoop, *, on_hung: Callable[[OutcomeUnknown], object]) -> None:
        self.refusal: Unavailable | None = None  # of whatever is new, while the write is slow
        self.is_hung = False  # those who waited have been told
        self._loop = loop
        self._on_hung = on_hung
        self._began: float | None = None
        self._timer: TimerHandle | None = None

    def begin(self) -> None:
        """A write begins."""
        self._began = self._loop.time()
        if self._timer is None:  # one serves many writes: they are short
            self._timer = self._loop.call_later(SLOW_SECONDS, self._look)

    def end(self) -> None:
        """It has returned, whatever came of it."""
        if self.refusal is not None and self._began is not None:
            log.warning("disk_answers_again", seconds=round(self._loop.time() - self._began, 1))
        self._began, self.refusal, self.is_hung = None, None, False

    def close(self) -> None:
        """Watch no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = None
        if self._began is None:
            return
        seconds = self._loop.time() - self._began + _EARLY_SECONDS
        if seconds >= SLOW_SECONDS and self.refusal is None:
            self.refusal = Unavailable(_NOT_TAKEN)
            log.error("disk_hangs", seconds=SLOW_SECONDS, meanwhile="nothing new is taken")
        if seconds >= HUNG_SECONDS:
            self.is_hung = True
            log.error(
                "disk_hangs", seconds=HUNG_SECONDS, meanwhile="those waiting are told that nobody knows"
            )
            self._on_hung(OutcomeUnknown(_UNKNOWN))
        else:
            due = HUNG_SECONDS if self.refusal else SLOW_SECONDS
            self._timer = self._loop.call_at(self._began + due, self._look)
