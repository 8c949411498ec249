"""What befalls a broker while it serves."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from msgspec.structs import replace

from jobengine.errors import JobEngineError, OutcomeUnknown
from jobengine.model.commands import Configure
from jobengine.model.queue import WhenFull
from tests.simulation.clients import LETTERS, MAIL, Broker
from tests.simulation.clock import VirtualTime
from tests.simulation.disk import DiskInDanger, io_error
from tests.simulation.keyring import Keyring
from tests.simulation.loop import SimulatedLoop
from tests.simulation.room import RESERVE_BYTES
from tests.simulation.v2_clients import DEAD

REST_SECONDS = 0.15  # between two events, on average
SETTINGS = (
    *2 * ((MAIL, LETTERS, DEAD),),
    (replace(MAIL, keep=300, max_attempts=3), replace(LETTERS, lease=2_000, max_attempts=1), DEAD),
    (replace(MAIL, keeps_expired=True, max_jobs=12), LETTERS),
    (MAIL, replace(LETTERS, max_jobs=6, when_full=WhenFull.DROP_LOWEST), DEAD),
    (MAIL,),
)


class Chaos:
    """Lets one thing happen after the other. Some are the end of this life."""

    def __init__(
        self,
        broker: Broker,
        disk: DiskInDanger,
        loop: SimulatedLoop,
        time: VirtualTime,
        keyring: Keyring,
    ) -> None:
        self.stops = False  # somebody asks the server to stop, in good order
        self._broker = broker
        self._random = broker.random
        self._disk = disk
        self._loop = loop
        self._time = time
        self._keyring = keyring
        self._events: list[Callable[[], Coroutine[Any, Any, None]]] = [
            *(3 * [self._go_soon] + 4 * [self._fill_disk] + 2 * [self._slow_down] + [self._fail]),
            *(2 * [self._step_clock] + 2 * [self._configure] + 3 * [self._compact] + [self._stop]),
            *(2 * [self._nearly_fill_disk] + 2 * [self._rekey]),
        ]

    async def run(self) -> None:
        """Until this life is over."""
        while True:
            await asyncio.sleep(self._random.expovariate(1 / REST_SECONDS))
            await self._random.choice(self._events)()

    async def _go_soon(self) -> None:
        """The process is killed, or the machine loses power, in the middle of what it does."""
        self._disk.loses_power = self._random.random() < 0.6
        self._disk.calls_left = self._random.randrange(1, 30)
        self._broker.trace(f"{self._how()} in {self._disk.calls_left} calls")

    def _how(self) -> str:
        return "the power fails" if self._disk.loses_power else "the process is killed"

    async def _fill_disk(self) -> None:
        self._broker.counts.full_disks += 1
        self._broker.trace("the disk is full")
        async with self._broker.room.only(self._random.randrange(2_000)):
            await asyncio.sleep(self._random.random() * 0.2)
        self._broker.trace("the disk has room")

    async def _nearly_fill_disk(self) -> None:
        self._broker.counts.nearly_full_disks += 1
        self._broker.trace("the disk is nearly full")
        async with self._broker.room.only(self._random.randrange(RESERVE_BYTES)):
            await asyncio.sleep(self._random.random() * 0.4)
        self._broker.trace("the disk has room again")

    async def _slow_down(self) -> None:
        self._broker.counts.slow_disks += 1
        seconds = self._random.choice((0.01, 0.3, 8.0))
        self._broker.trace(f"the disk takes up to {seconds} s")
        async with self._broker.room.slow(seconds):
            await asyncio.sleep(self._random.random() * seconds * 2)

    async def _fail(self) -> None:
        self._disk.refusal = io_error(self._random.choice(("sync", "sync", "write")))
        self._broker.trace(f"the next {self._disk.refusal[0]} fails")

    async def _step_clock(self) -> None:
        self._broker.counts.clock_steps += 1
        self._time.step_ms += self._random.randrange(-5_000, 5_000)
        self._broker.trace(f"the clock is {self._time.step_ms} ms ahead")

    async def _configure(self) -> None:
        queues = self._random.choice(SETTINGS)
        await self._broker.ask("configure", self._broker.engine.submit(Configure(queues)))

    async def _compact(self) -> None:
        """What was stored must be as it was; so there is nothing to compare here."""
        self._broker.trace("a compaction begins")
        try:
            compacted = await self._broker.engine.compact()
        except JobEngineError as refusal:
            self._broker.trace(f"no compaction: {refusal.detail}")
        else:
            self._broker.counts.compactions += 1
            self._broker.trace(f"compacted to {compacted.bytes_after} bytes")

    async def _rekey(self) -> None:
        """The same, and from then on only another SECRET opens the file."""
        secret = f"hex:{self._random.randbytes(32).hex()}"
        self._broker.trace("the SECRET is to be changed")
        self._keyring.begin(secret)
        try:
            await self._broker.engine.compact(secret)
        except OutcomeUnknown as refusal:
            self._broker.trace(f"nobody knows which SECRET it is: {refusal.detail}")
        except JobEngineError as refusal:
            self._keyring.refused()
            self._broker.trace(f"the old SECRET stays: {refusal.detail}")
        else:
            self._keyring.done()
            self._broker.counts.rekeys += 1
            self._broker.trace("the SECRET is changed")

    async def _stop(self) -> None:
        self._broker.trace("the server is asked to stop")
        self.stops = True
