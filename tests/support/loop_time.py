"""The time of an event loop, moved by the test: what is due then happens, and nobody waits for it."""

import asyncio


class LoopTime:
    """Takes the place of the running loop's clock, which stands still from then on."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds = self._loop.time()
        self._loop.time = lambda: self._seconds  # type: ignore[method-assign]  # a loop has no other way

    async def pass_seconds(self, seconds: float) -> None:
        """Let so much time pass, and what is due take its turn."""
        self._seconds += seconds
        for _ in range(5):
            await asyncio.sleep(0)
