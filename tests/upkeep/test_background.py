"""What goes on beside the requests: begun once, and ended when it is told."""

import asyncio

import pytest

from jobengine.upkeep.background import Background


class Lingering(Background):
    """Goes on for ever, and then takes its time to end; or fails."""

    def __init__(self, failure: Exception | None = None) -> None:
        super().__init__()
        self.may_end = asyncio.Event()
        self._failure = failure

    async def _go_on(self) -> None:
        if self._failure is not None:
            raise self._failure
        try:
            await asyncio.Event().wait()
        finally:
            await self.may_end.wait()


async def turns() -> None:
    """Time enough for whatever waits for nothing."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_stop_waits_for_the_end() -> None:
    lingering = Lingering()
    await lingering.start()
    await turns()
    stopping = asyncio.create_task(lingering.stop())
    await turns()
    assert not stopping.done()
    lingering.may_end.set()
    await stopping
    assert not lingering.is_going


async def test_who_is_cancelled_while_it_stops_something_is_cancelled() -> None:
    lingering = Lingering()
    await lingering.start()
    await turns()
    stopping = asyncio.create_task(lingering.stop())
    await turns()
    stopping.cancel()
    await turns()
    assert stopping.cancelled()
    lingering.may_end.set()
    await turns()


async def test_what_it_failed_with_is_told_at_the_stop() -> None:
    lingering = Lingering(ValueError("odd"))
    await lingering.start()
    await turns()
    with pytest.raises(ValueError, match="odd"):
        await lingering.stop()
    await lingering.stop()  # once more changes nothing
