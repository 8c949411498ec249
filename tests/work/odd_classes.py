"""Job classes that would harm a server that trusted them."""

import asyncio
import sys
import threading
from contextlib import suppress
from typing import Any

from jobengine import JobClass


class Leaves(JobClass):
    """Ends the program that it runs in, or would like to."""

    def start(self) -> Any:
        """As a script does."""
        sys.exit(3)


class Deaf(JobClass):
    """Never ends, whatever it is told."""

    def start(self) -> Any:
        """For ever."""
        threading.Event().wait()


class Stubborn(JobClass):
    """Is not cancelled."""

    async def start(self) -> Any:
        """For ever."""
        while True:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(60)
