"""The sweeper: turns in the background that nobody notices."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from jobengine.errors import InputOutputFailed, JobEngineError, OutcomeUnknown, StorageFull, Unavailable
from jobengine.model.commands import Command, Sweep, Swept
from jobengine.upkeep import sweeper as upkeep
from jobengine.upkeep.sweeper import TURN_MOST, Sweeper
from tests.support.brokers import Broker
from tests.support.commands import create


class ScriptedEngine:
    """Answers each sweep with the next of what the test wrote down; then with nothing due."""

    def __init__(self, *answers: Swept | JobEngineError) -> None:
        self._answers = list(answers)
        self.asked: list[Command] = []
        self.done = asyncio.Event()  # all of it was given

    async def submit(self, command: Command) -> Any:
        """The next answer."""
        self.asked.append(command)
        if not self._answers:
            self.done.set()
            return Swept()
        answer = self._answers.pop(0)
        if isinstance(answer, JobEngineError):
            raise answer
        return answer


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(upkeep, "REFUSED_SECONDS", 0.0)


def running(sweeper: Sweeper) -> bool:
    """Whether it has anything under way."""
    return sweeper.is_going


async def test_one_turn_takes_a_bounded_number_of_jobs_and_says_what_became_of_them() -> None:
    observed: list[Swept] = []
    async with Broker() as broker:
        await broker.configure()
        await broker.submit_all(create("mail", b"{}", 50, 1) for _ in range(TURN_MOST + 5))
        broker.time.pass_ms(1)
        sweeper = Sweeper(broker.engine, observe=observed.append)
        turns = [await sweeper.turn() for _ in range(3)]
    assert turns == [Swept(expired=TURN_MOST), Swept(expired=5), Swept()]
    assert observed == turns[:2]


async def test_started_it_sweeps_until_nothing_is_due_and_others_have_their_turn() -> None:
    async with Broker() as broker:
        await broker.configure()
        await broker.submit_all(create("mail", b"{}", 50, 1) for _ in range(5 * TURN_MOST))
        broker.time.pass_ms(1)
        sweeper = Sweeper(broker.engine, observe=lambda _: None)
        await sweeper.start()
        left = set()
        while count := broker.ledger.count("mail"):
            left.add(count)
            await asyncio.sleep(0)
        await sweeper.stop()
    assert left == {TURN_MOST * turns for turns in range(1, 6)}


async def test_to_start_it_twice_starts_it_once() -> None:
    engine = ScriptedEngine()
    sweeper = Sweeper(engine, observe=lambda _: None)
    await sweeper.start()
    first = sweeper._going
    await sweeper.start()
    assert sweeper._going is first
    await sweeper.stop()


async def test_to_stop_it_twice_or_before_it_was_started_does_nothing() -> None:
    sweeper = Sweeper(ScriptedEngine(), observe=lambda _: None)
    await sweeper.stop()
    await sweeper.start()
    await sweeper.stop()
    await sweeper.stop()
    assert not running(sweeper)


async def test_stopped_it_asks_for_nothing_more() -> None:
    engine = ScriptedEngine()
    sweeper = Sweeper(engine, observe=lambda _: None)
    await sweeper.start()
    await engine.done.wait()
    await sweeper.stop()
    asked = len(engine.asked)
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(engine.asked) == asked


async def test_it_can_be_started_again() -> None:
    engine = ScriptedEngine()
    sweeper = Sweeper(engine, observe=lambda _: None)
    await sweeper.start()
    await sweeper.stop()
    await sweeper.start()
    await engine.done.wait()
    assert running(sweeper)
    await sweeper.stop()


async def test_a_full_disk_is_logged_and_outlived() -> None:
    engine = ScriptedEngine(StorageFull("no room"), StorageFull("no room"), Swept(expired=3))
    observed: list[Swept] = []
    sweeper = Sweeper(engine, observe=observed.append)
    with capture_logs() as logs:
        await sweeper.start()
        await engine.done.wait()
    assert observed == [Swept(expired=3)]
    assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == ["sweep_refused"] * 2
    await sweeper.stop()


@pytest.mark.parametrize("refusal", [OutcomeUnknown("nobody knows"), Unavailable("the disk hangs")])
async def test_a_disk_that_does_not_answer_is_outlived_in_silence(refusal: JobEngineError) -> None:
    """It has its own line in the log."""
    engine = ScriptedEngine(refusal, refusal, Swept(forgotten=1))
    sweeper = Sweeper(engine, observe=lambda _: None)
    with capture_logs() as logs:
        await sweeper.start()
        await engine.done.wait()
    assert "sweep_refused" not in [entry["event"] for entry in logs]
    await sweeper.stop()


async def test_what_nobody_foresaw_is_logged_with_its_cause_and_outlived() -> None:
    fault = InputOutputFailed("not of this kind")
    engine = ScriptedEngine(fault, Swept(expired=3))
    sweeper = Sweeper(engine, observe=lambda _: None)
    with capture_logs() as logs:
        await sweeper.start()
        await engine.done.wait()
    assert [entry["exc_info"] for entry in logs if entry["event"] == "sweep_refused"] == [fault]
    await sweeper.stop()


async def test_every_sweep_is_of_all_queues_and_bounded() -> None:
    engine = ScriptedEngine(Swept(expired=TURN_MOST), Swept(expired=1))
    sweeper = Sweeper(engine, observe=lambda _: None)
    await sweeper.start()
    await engine.done.wait()
    await sweeper.stop()
    assert set(engine.asked) == {Sweep(TURN_MOST)}
