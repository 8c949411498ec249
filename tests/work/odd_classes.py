"""Job classes that would harm a server that trusted them."""

import asyncio
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from jobengine import JobClass


class Sleeps(JobClass):
    """For as long as its args say."""

    async def start(self) -> Any:
        """Without a thread."""
        await asyncio.sleep(self.args["seconds"])


class Tells(JobClass):
    """Writes into a file what it is told, and waits for that."""

    def start(self) -> Any:
        """Until it is to end."""
        self._tell("start")
        self.rest(60)

    def halt(self) -> Any:
        """What the next one is to know."""
        self._tell("halt")
        return 7

    def stop(self) -> None:
        """What it knows."""
        self._tell("stop")

    def clean(self) -> None:
        """The same."""
        self._tell("clean")

    def _tell(self, method: str) -> None:
        with Path(self.args["file"]).open("a") as file:
            file.write(f"{method} {self.saved}\n")


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
