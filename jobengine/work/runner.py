"""What all kinds of jobs have in common: six verbs, and an end."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any

from jobengine.model.log import Stream
from jobengine.work.outcome import Broken, Halted, Kind, Outcome

# Puts output behind that which is there: of which stream, at which offset of it. Raises JobEngineError.
LogSink = Callable[[Stream, int, bytes], Awaitable[None]]


class Runner(ABC):
    """One attempt at one job."""

    @abstractmethod
    async def start(self) -> None:
        """Begin. Raises Refused; then only `clean` is called."""

    @abstractmethod
    async def halt(self) -> Halted | None:
        """Stand still. With an answer it has ended here, and goes on elsewhere; without one it waits here."""

    async def leave(self) -> Halted | None:
        """The worker ends: as `halt`, where what it runs ends with it."""
        return await self.halt()

    @abstractmethod
    async def resume(self) -> None:
        """Go on after a halt that had no answer."""

    @abstractmethod
    async def stop(self) -> None:
        """End before it is done. Returns when it has ended."""

    async def stop_left(self) -> Broken:
        """End what an earlier run has left; in the place of `start`. Returns when that is done."""
        return Broken(Kind.STOPPED, "it was stopped", retry=False)

    @abstractmethod
    async def clean(self) -> None:
        """Leave nothing behind. Called once, after its end, whatever that was."""

    @abstractmethod
    def details(self) -> dict[str, Any] | None:
        """How far it has come; None when there is nothing to say, now or later."""

    @abstractmethod
    async def ended(self) -> Outcome:
        """Wait for its outcome."""
