"""The compactor: when a file is worth writing anew, and what a refusal leads to."""

import asyncio
import os

import pytest
from structlog.testing import capture_logs

from jobengine.engine.interface import Compacted
from jobengine.errors import Damaged, OutcomeUnknown, StorageFull
from jobengine.upkeep import compactor as upkeep
from jobengine.upkeep.compactor import DAMAGED_SECONDS, LOOK_SECONDS, REFUSED_SECONDS, Compactor
from tests.support.brokers import Broker
from tests.support.commands import delete


class ScriptedEngine:
    """A file of 100 bytes; compacting it is refused as the test says."""

    def __init__(self, *refusals: Exception, live: int = 10) -> None:
        self._refusals = list(refusals)
        self._live = live
        self.compactions = 0
        self.done = asyncio.Event()

    def file_bytes(self) -> int:
        """The size of the file."""
        return 100

    def live_bytes(self) -> int:
        """What of it is in use."""
        return self._live

    async def compact(self) -> Compacted:
        """The next refusal, or none."""
        self.compactions += 1
        if self._refusals:
            raise self._refusals.pop(0)
        self._live = 100
        self.done.set()
        return Compacted(100, 10, 0.5, 7)


def compactor(engine: ScriptedEngine, *, above_bytes: int = 99, live_ratio: float = 0.5) -> Compactor:
    """The compactor of this engine."""
    return Compactor(engine, above_bytes=above_bytes, live_ratio=live_ratio)


@pytest.mark.parametrize(
    ("above_bytes", "live", "worth"), [(99, 49, True), (100, 49, False), (99, 50, False), (0, 0, True)]
)
def test_a_file_is_worth_it_when_it_is_large_and_little_of_it_is_in_use(
    above_bytes: int, live: int, worth: bool
) -> None:
    assert compactor(ScriptedEngine(live=live), above_bytes=above_bytes).is_worth_it() is worth


async def test_a_turn_compacts_what_is_worth_it_and_says_so() -> None:
    engine = ScriptedEngine()
    with capture_logs() as logs:
        assert await compactor(engine).turn() == LOOK_SECONDS
        assert await compactor(engine).turn() == LOOK_SECONDS  # now all of it is in use
    assert engine.compactions == 1
    assert [(entry["event"], entry["bytes_after"]) for entry in logs] == [("compacted", 10)]


async def test_a_refusal_is_told_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "REFUSED_SECONDS", 0.0)
    engine = ScriptedEngine(StorageFull("no room"), OutcomeUnknown("it hangs"))
    background = compactor(engine)
    with capture_logs() as logs:
        await background.start()
        await asyncio.wait_for(engine.done.wait(), 10)
        await background.stop()
    assert [entry["event"] for entry in logs] == ["not_compacted", "not_compacted", "compacted"]


@pytest.mark.parametrize(
    ("refusal", "seconds"),
    [(StorageFull("no room"), REFUSED_SECONDS), (Damaged("a big value"), DAMAGED_SECONDS)],
)
async def test_damage_that_stays_is_not_run_into_every_minute(refusal: Exception, seconds: float) -> None:
    assert await compactor(ScriptedEngine(refusal)).turn() == seconds


async def test_a_fault_does_not_end_the_looking() -> None:
    with capture_logs() as logs:
        assert await compactor(ScriptedEngine(RuntimeError("a bug"))).turn() == REFUSED_SECONDS
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("not_compacted", "error")]


async def test_a_file_that_is_mostly_dead_shrinks_and_a_live_one_stays() -> None:
    async with Broker() as broker:
        await broker.configure()
        jobs = [await broker.create(content=os.urandom(1000)) for _ in range(30)]
        background = Compactor(broker.engine, above_bytes=1, live_ratio=0.5)
        size = broker.engine.file_bytes()
        await background.turn()
        assert broker.engine.file_bytes() == size
        for job in jobs[:25]:
            await broker.engine.submit(delete("mail", job.uid))
        await background.turn()
        assert broker.engine.file_bytes() < size / 2
        assert len(await broker.jobs()) == 5
