"""Life after life on one disk, all of it decided by a seed."""

import os
from random import Random
from unittest import mock

import structlog
from msgspec import Struct

from tests.simulation.clock import VirtualTime
from tests.simulation.counts import Counts
from tests.simulation.keyring import Keyring
from tests.simulation.life import Life
from tests.simulation.loop import SimulatedLoop
from tests.simulation.oracle import Oracle, Violation
from tests.simulation.room import LOOK_SECONDS
from tests.support.disk import SimulatedDisk

OPERATIONS = 500
STEPS_SHOWN = 40


class Outcome(Struct):
    """What came of a seed."""

    seed: int
    counts: Counts
    trace: list[str]
    violation: str | None

    def __str__(self) -> str:
        again = f"make simulate FIRST={self.seed} SEEDS=1"
        steps = "\n".join(self.trace[-STEPS_SHOWN:])
        return f"Seed {self.seed}: {self.violation}\nThe last steps:\n{steps}\nOnce more: {again}"


class Simulation:
    """One seed. The same one gives the same trace, byte for byte."""

    def __init__(self, seed: int, *, operations: int = OPERATIONS) -> None:
        self._seed = seed
        self._operations = operations
        self._random = Random(seed)
        self._bytes = Random(f"bytes of {seed}")  # apart, so that ciphers may change and the story stays
        self._time = VirtualTime(SimulatedLoop(self._random, now=5.0))
        self._oracle = Oracle()
        self._keyring = Keyring(self._oracle)
        self._counts = Counts(seeds=1)
        self._trace: list[str] = []

    def run(self) -> Outcome:
        """From an empty disk to the last start."""
        with (
            mock.patch.object(os, "urandom", self._bytes.randbytes),
            mock.patch.object(os, "getpid", return_value=1),  # it is written into the lock
            mock.patch("time.monotonic", self._time.monotonic),
            mock.patch("jobengine.engine.compaction.TURN_MOST", 3),  # of few jobs, and yet many turns
            mock.patch("jobengine.upkeep.free_space.LOOK_SECONDS", LOOK_SECONDS),
            structlog.testing.capture_logs() as logs,
        ):
            try:
                self._live()
            except Violation as violation:
                self._note(f"VIOLATION: {violation}")
            except Exception as error:  # noqa: BLE001 - whatever it is, no broker may end like that
                self._oracle.violation = self._oracle.violation or f"{type(error).__name__}: {error}"
        faults = [str(log["exc_info"]) for log in logs if log.get("exc_info")]
        violation = self._oracle.violation or next(iter(faults), None)
        self._counts.violations = int(violation is not None)
        self._counts.taken_back = self._oracle.taken_back_total
        return Outcome(self._seed, self._counts, self._trace, violation)

    def _live(self) -> None:
        disk, in_good_order, known = SimulatedDisk(), False, list[tuple[str, str]]()
        while not (in_good_order and not self._goes_on()):
            life = self._life(disk)
            if life.open(in_good_order=in_good_order):
                in_good_order = life.serve(known, self._goes_on)
            if self._oracle.violation is not None:
                return
            assert life.disk.left is not None
            disk = life.disk.left
            self._pass_time()
        self._life(disk).open(in_good_order=True)

    def _life(self, disk: SimulatedDisk) -> Life:
        return Life(
            disk,
            random=self._random,
            time=self._time,
            oracle=self._oracle,
            keyring=self._keyring,
            counts=self._counts,
            trace=self._note,
        )

    def _goes_on(self) -> bool:
        return self._counts.operations < self._operations

    def _pass_time(self) -> None:
        """Nothing runs for a while. The loop of the life before is not used again."""
        down = self._random.choice((0.0, 0.01, 1.0))
        self._time.loop = SimulatedLoop(self._random, now=self._time.loop.time() + down)

    def _note(self, text: str) -> None:
        loop = self._time.loop
        self._trace.append(f"{loop.time():.4f} {loop.steps} {text}")
