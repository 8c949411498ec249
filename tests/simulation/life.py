"""One life of a broker: from its start to its end, whatever that is."""

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from jobengine.errors import Fatal
from jobengine.journal.journal import Journal
from jobengine.journal.keys import Secret
from jobengine.model.commands import Configure
from jobengine.model.ledger import Ledger
from jobengine.upkeep.free_space import FreeSpace
from jobengine.upkeep.sweeper import Sweeper
from tests.simulation.chaos import Chaos
from tests.simulation.clients import LETTERS, MAIL, Broker, Client
from tests.simulation.clock import VirtualTime
from tests.simulation.counts import Counts
from tests.simulation.disk import DiskInDanger
from tests.simulation.engine import WatchedEngine
from tests.simulation.keyring import Keyring
from tests.simulation.loop import SimulatedLoop
from tests.simulation.oracle import Oracle, seen
from tests.simulation.room import RESERVE_BYTES, Room
from tests.simulation.threads import simulated_threads
from tests.simulation.v2_clients import DEAD, ClientOfV2
from tests.support.brokers import PATH
from tests.support.disk import SimulatedDisk

CLIENTS = 20
SECONDS_MOST = 1_000  # of one life, with all its slow disks
FAILING_SECONDS = 0.01  # from a failed disk to the end of the process
LAST_STEPS_MOST = 100_000  # until everybody has noticed that it is over


class Life:
    """Starts on a disk, and leaves one."""

    def __init__(
        self,
        disk: SimulatedDisk,
        *,
        random: Random,
        time: VirtualTime,
        oracle: Oracle,
        keyring: Keyring,
        counts: Counts,
        trace: Callable[[str], None],
    ) -> None:
        self.disk = DiskInDanger(disk, random)
        self._random = random
        self._time = time
        self._loop: SimulatedLoop = time.loop
        self._oracle = oracle
        self._keyring = keyring
        self._counts = counts
        self._trace = trace
        self._failure: Fatal | None = None
        self._has_ended = False  # because of it
        self._started = self._loop.time()
        self._tasks: list[asyncio.Task[Any]] = []

    def open(self, *, in_good_order: bool) -> bool:
        """Recover what is on the disk. False when the process or the machine went meanwhile."""
        if self._random.random() < 0.15:
            self.disk.loses_power = self._random.random() < 0.5
            self.disk.calls_left = self._random.randrange(1, 12)
        ledger, secret = Ledger(), self._keyring.opening(self.disk.disk)
        journal = Journal.open(
            PATH,
            Secret.parse(secret),
            replay=ledger.replay,
            files=self.disk,
            wall_ms=lambda: self._time.wall_ms,
        )
        if self.disk.left is not None:
            self._count_end("while it starts")
            return False
        self.disk.calls_left = None
        self._keyring.opened(secret)
        ledger.index()
        clock = self._time.clock(at_least=journal.last_time)
        self._engine = WatchedEngine(ledger, journal, clock)
        self._now = clock.now
        self._oracle.recovered(ledger, clock.now(), in_good_order=in_good_order)
        self._counts.recoveries += 1
        return True

    def serve(self, known: list[tuple[str, str]], goes_on: Callable[[], bool]) -> bool:
        """Serve the clients until the end, or until they want no more. True when it ended in good order."""
        with simulated_threads(self._loop):
            self._loop.run_until_complete(self._start())
            broker = Broker(self._random, self._engine, self._oracle, self._room, self._counts, self._trace)
            chaos = Chaos(broker, self.disk, self._loop, self._time, self._keyring)
            clients = [self._go(self._client(n, broker, known).run(goes_on)) for n in range(CLIENTS)]
            self._go(chaos.run())
            self._loop.run(lambda: self._is_over() or chaos.stops or all(client.done() for client in clients))
            return self._end()

    def _client(self, number: int, broker: Broker, known: list[tuple[str, str]]) -> Client:
        """Every other one speaks API v2."""
        kind = ClientOfV2 if number % 2 else Client
        return kind(f"c{number:02}", broker, known)

    async def _start(self) -> None:
        self._room = Room(self.disk.disk, self._loop)
        self._free_space = FreeSpace(self._engine, reserve_bytes=RESERVE_BYTES)
        self._engine.start(on_failure=self._failed, on_full=self._free_space.look_soon)
        await self._free_space.start()
        self._engine.oracle = self._oracle
        for queue in (MAIL, LETTERS, DEAD):
            await self._check_list(queue.name)
        self._sweeper = Sweeper(self._engine, observe=lambda swept: None)
        await self._engine.submit(Configure((MAIL, LETTERS, DEAD)))
        await self._sweeper.start()

    async def _check_list(self, queue: str) -> None:
        if any(status.name == queue for status in self._engine.status()):
            jobs = [job async for some in self._engine.slices(queue) for job in some.jobs]
            if seen(jobs) != self._oracle.order(queue, self._now()):
                raise self._oracle.violated(f"{queue} is listed in another order")

    def _go(self, doing: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(doing)
        task.add_done_callback(self._check_ended)
        self._tasks.append(task)
        return task

    def _check_ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._oracle.violation = self._oracle.violation or f"{type(error).__name__}: {error}"

    def _is_over(self) -> bool:
        if self._loop.time() > self._started + SECONDS_MOST:
            self._loop.problems.append("somebody waits for ever")
        if self._loop.problems:
            self._oracle.violation = self._oracle.violation or self._loop.problems[0]
        return bool(self._oracle.violation or self.disk.left is not None or self._has_ended)

    def _failed(self, failure: Fatal) -> None:
        """The process will end soon. What it still answers counts."""
        self._failure = self._failure or failure
        self._loop.call_later(self._random.random() * FAILING_SECONDS, self._end_of_failure)

    def _end_of_failure(self) -> None:
        self._has_ended = True

    def _end(self) -> bool:
        if not self._is_over():
            self._loop.run_until_complete(self._stop())
        if self._is_over() or self._failure is not None:
            self.disk.end()
            self._count_end("")
            self._let_all_go()
            return False
        self._trace("stopped in good order")
        self._counts.stops += 1
        self.disk.loses_power = False
        self.disk.end()
        return True

    async def _stop(self) -> None:
        """As SIGTERM does it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._sweeper.stop()
        await self._free_space.stop()
        try:
            await self._engine.stop()
        except Fatal as failure:
            self._failure = failure

    def _let_all_go(self) -> None:
        """Nobody watches any more: the callers of a dead process only have to be cleared away."""
        self._engine.oracle = None
        tasks = self._loop.tasks
        for task in tasks:
            task.cancel()
        until = self._loop.steps + LAST_STEPS_MOST
        self._loop.run(lambda: all(task.done() for task in tasks) or self._loop.steps > until)

    def _count_end(self, when: str) -> None:
        if self._failure is not None:
            self._counts.failed_calls += 1
            self._trace(f"ended: {self._failure.detail}")
        elif self.disk.loses_power:
            self._counts.power_losses += 1
            self._trace(f"power lost {when}")
        else:
            self._counts.kills += 1
            self._trace(f"killed {when}")
