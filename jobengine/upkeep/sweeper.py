"""Does what time makes due: expires, times out and forgets jobs."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog
from msgspec import structs

from jobengine.engine.interface import Engine
from jobengine.errors import OutcomeUnknown, StorageFull, Unavailable
from jobengine.model.commands import Sweep, Swept
from jobengine.upkeep.background import Background

# Nobody sees what is due and not swept, so sweeping has time; a turn takes a few milliseconds.
LOOK_SECONDS: Final = 1.0
REFUSED_SECONDS: Final = 5.0
TURN_MOST: Final = 100

log = structlog.get_logger(__name__)


class Sweeper(Background):
    """Sweeps in turns, and rests as long as each took: half of the time belongs to the requests."""

    def __init__(self, engine: Engine, *, observe: Callable[[Swept], None]) -> None:
        super().__init__()
        self._engine = engine
        self._observe = observe

    async def turn(self) -> Swept:
        """Do what is due for some jobs, and say for how many."""
        swept = await self._engine.submit(Sweep(TURN_MOST))
        if swept.total:
            self._observe(swept)
            log.debug("swept", **structs.asdict(swept))
        return swept

    async def _go_on(self) -> None:
        while True:
            started = time.monotonic()
            try:
                swept = await self.turn()
            except (OutcomeUnknown, Unavailable):
                await asyncio.sleep(REFUSED_SECONDS)  # the disk does not answer, or the server is ending
            except Exception as error:  # a full disk, or a fault: nobody else would go on
                log.warning("sweep_refused", exc_info=None if isinstance(error, StorageFull) else error)
                await asyncio.sleep(REFUSED_SECONDS)
            else:
                is_done = swept.total < TURN_MOST
                await asyncio.sleep(LOOK_SECONDS if is_done else time.monotonic() - started)
