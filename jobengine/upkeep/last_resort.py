"""The end of a stop that takes too long.

A call that the disk does not answer cannot be called back, nor what a job has started in this process.
"""

import os
import sys
from threading import Timer
from typing import Final

from jobengine.errors import InputOutputFailed

# Less than the 5 s that whoever stops a server may count on; requests under way have 3 of them.
STOP_SECONDS: Final = 4.0

_DISK: Final = (
    "the disk has not answered for {seconds:.0f} s after the stop: ended without it, and nobody knows "
    "whether the last changes survive; look at the disk, then start again\n"
)
_JOB: Final = "all else is done, but what some job has started here does not end: ended without it\n"


class LastResort:
    """Ends the process when it has not ended by itself in time. No other thread is asked."""

    def __init__(self) -> None:
        self._is_started = False
        self._exit_code: int | None = None

    def start(self, *, later: float = 0.0) -> None:
        """From now on there is so much time, and `later` seconds more for what is known to take them."""
        if not self._is_started:
            self._is_started = True
            timer = Timer(STOP_SECONDS + later, self._end, (STOP_SECONDS + later,))
            timer.daemon = True
            timer.start()

    def stopped(self, exit_code: int) -> None:
        """All that the server does has ended, and the process is to exit so."""
        self._exit_code = exit_code

    def _end(self, seconds: float) -> None:
        is_stopped = self._exit_code is not None
        sys.stderr.write(_JOB if is_stopped else _DISK.format(seconds=seconds))
        sys.stderr.flush()
        os._exit(InputOutputFailed.exit_code if self._exit_code is None else self._exit_code)
