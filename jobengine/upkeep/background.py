"""What all upkeep has in common: it goes on beside the requests until it is stopped."""

import asyncio
from abc import ABC, abstractmethod


class Background(ABC):
    """Something that goes on for ever. To start or stop it once more changes nothing."""

    def __init__(self) -> None:
        self._going: asyncio.Task[None] | None = None

    @property
    def is_going(self) -> bool:
        """Whether it was started, and neither stopped nor ended by itself."""
        return self._going is not None and not self._going.done()

    async def start(self) -> None:
        """Let it go on from now on."""
        if self._going is None:
            self._going = asyncio.create_task(self._go_on())

    async def stop(self) -> None:
        """Cancel it, and wait for its end."""
        going, self._going = self._going, None
        if going is not None:
            going.cancel()
            await asyncio.wait([going])  # not `await going`: then its end and the caller's look the same
            if not going.cancelled():
                going.result()  # raises what it failed with

    @abstractmethod
    async def _go_on(self) -> None:
        """What it does."""
