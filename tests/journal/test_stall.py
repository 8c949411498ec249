"""A write that does not return: who is told what, and when."""

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import AsyncIterator, Callable
from threading import Event
from typing import cast

import pytest
from structlog.testing import capture_logs

from jobengine.errors import InputOutputFailed, JobEngineError, OutcomeUnknown, StorageFull, Unavailable
from jobengine.journal.batch import Batch
from jobengine.journal.commit import GroupCommit
from jobengine.journal.stall import HUNG_SECONDS, SLOW_SECONDS, Stall
from jobengine.model.changes import DropQueue
from tests.support.loop_time import LoopTime

SHORT_OF_IT = 0.5
EARLY = 0.001


class HangingDisk:
    """Lets a write return only when the test says so, with what the test says."""

    def __init__(self) -> None:
        self.time = LoopTime()
        self.written: list[int] = []
        self.rollbacks: list[int] = []
        self.failures: list[JobEngineError] = []
        self.error: Exception | None = None
        self._answers = Event()
        self.commit = GroupCommit(
            prepare=self._prepare,
            on_rollback=self.rollbacks.append,
            on_failure=self.failures.append,
            observe=lambda _records, _seconds: None,
        )

    def append(self) -> asyncio.Future[None]:
        return self.commit.append([DropQueue("mail")], 1)

    def errand(self, *, is_patient: bool = True) -> asyncio.Future[None]:
        return self.commit.alone(lambda: self._run(0), is_patient=is_patient)

    async def answer(self) -> None:
        """Let what is under way return, and all else."""
        self._answers.set()
        while self.commit.in_flight:
            await asyncio.sleep(0)

    def _prepare(self, batch: Batch) -> Callable[[], None]:
        return self._run(len(batch.changes))

    def _run(self, changes: int) -> Callable[[], None]:
        def write() -> None:
            assert self._answers.wait(10)
            error, self.error = self.error, None
            if error is not None:
                raise error
            self.written.append(changes)

        return write


class OneTimer:
    """A loop that has one timer, which the test lets come when it likes."""

    def __init__(self) -> None:
        self.now = 0.0
        self.due: float | None = None
        self._look: Callable[[], object] = print

    def time(self) -> float:
        return self.now

    def call_at(self, due: float, look: Callable[[], object]) -> object:
        self.due, self._look = due, look
        return self

    def call_later(self, delay: float, look: Callable[[], object]) -> object:
        return self.call_at(self.now + delay, look)

    def fire(self, now: float) -> None:
        """It comes now."""
        self.now, self.due = now, None
        self._look()


@pytest.fixture
async def disk() -> AsyncIterator[HangingDisk]:
    disk = HangingDisk()
    yield disk
    await disk.answer()
    await disk.commit.close()


def refusal(waiting: asyncio.Future[None] | None) -> type[BaseException]:
    assert waiting is not None
    return type(waiting.exception())


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_write_that_takes_its_time_is_none_of_our_business(disk: HangingDisk) -> None:
    waiting = disk.append()
    await turn()
    await disk.time.pass_seconds(SLOW_SECONDS - SHORT_OF_IT)
    later = disk.append()
    assert disk.commit.stalled is None
    assert not waiting.done()
    assert not later.done()


async def test_after_ten_seconds_nothing_new_is_taken_and_those_waiting_wait(disk: HangingDisk) -> None:
    waiting = disk.append()
    await turn()
    await disk.time.pass_seconds(SLOW_SECONDS)
    assert disk.commit.stalled is not None
    assert refusal(disk.append()) is Unavailable
    assert refusal(disk.errand()) is Unavailable
    assert not waiting.done()
    assert disk.commit.in_flight == 1


async def test_a_write_is_timed_from_its_own_beginning(disk: HangingDisk) -> None:
    """The timer of an earlier one that was short is not its own."""
    first = disk.append()
    await turn()
    disk._answers.set()
    await first
    disk._answers.clear()
    await disk.time.pass_seconds(SLOW_SECONDS - SHORT_OF_IT)
    disk.append()
    await turn()
    await disk.time.pass_seconds(SLOW_SECONDS - SHORT_OF_IT)
    assert disk.commit.stalled is None
    await disk.time.pass_seconds(SHORT_OF_IT)
    assert disk.commit.stalled is not None


def test_a_timer_that_comes_a_little_early_is_not_set_again_for_what_is_left() -> None:
    """Loops keep time to a millisecond, or to what the clock can tell: set again, it would come at once."""
    loop, told = OneTimer(), list[OutcomeUnknown]()
    stall = Stall(cast("AbstractEventLoop", loop), on_hung=told.append)
    stall.begin()
    loop.fire(SLOW_SECONDS - EARLY)
    assert stall.refusal is not None
    assert loop.due == HUNG_SECONDS
    loop.fire(HUNG_SECONDS - EARLY)
    assert len(told) == 1
    assert loop.due is None


def test_a_timer_of_an_earlier_write_is_set_again_for_the_present_one() -> None:
    loop = OneTimer()
    stall = Stall(cast("AbstractEventLoop", loop), on_hung=print)
    stall.begin()
    stall.end()
    loop.now = 0.1
    stall.begin()
    loop.fire(SLOW_SECONDS)
    assert stall.refusal is None
    assert loop.due == SLOW_SECONDS + 0.1


async def test_after_thirty_seconds_all_who_wait_are_told_that_nobody_knows(disk: HangingDisk) -> None:
    under_way = disk.append()
    await turn()
    gathering, reading, value = disk.append(), disk.commit.barrier(), disk.errand(is_patient=False)
    await disk.time.pass_seconds(SLOW_SECONDS)
    late = disk.commit.barrier()
    await disk.time.pass_seconds(HUNG_SECONDS - SLOW_SECONDS - SHORT_OF_IT)
    waiting = [under_way, gathering, reading, value, late]
    assert not any(each is None or each.done() for each in waiting)
    await disk.time.pass_seconds(SHORT_OF_IT)
    assert [refusal(each) for each in waiting] == [OutcomeUnknown] * 5


async def test_who_must_know_what_came_of_it_waits_on(disk: HangingDisk) -> None:
    """A compaction that puts its file in place: it must not go on as if it had not."""
    errand = disk.errand()
    await turn()
    await disk.time.pass_seconds(HUNG_SECONDS)
    assert not errand.done()
    disk._answers.set()
    await errand


async def test_who_reads_what_is_in_flight_is_refused_at_once_then(disk: HangingDisk) -> None:
    disk.append()
    await turn()
    await disk.time.pass_seconds(HUNG_SECONDS)
    assert refusal(disk.commit.barrier()) is Unavailable


async def test_who_reads_what_is_on_disk_is_never_held_up(disk: HangingDisk) -> None:
    disk.errand()
    await turn()
    for seconds in (0.0, SLOW_SECONDS, HUNG_SECONDS):
        await disk.time.pass_seconds(seconds)
        assert disk.commit.barrier() is None


async def test_when_it_returns_after_all_everything_is_written_and_all_goes_on(disk: HangingDisk) -> None:
    disk.append()
    await turn()
    disk.append()
    await disk.time.pass_seconds(HUNG_SECONDS)
    with capture_logs() as logs:
        await disk.answer()
        await disk.append()
    assert disk.written == [1, 1, 1]
    assert disk.commit.stalled is None
    assert [(entry["event"], entry["seconds"]) for entry in logs] == [("disk_answers_again", HUNG_SECONDS)]


async def test_a_hanging_write_that_finds_the_disk_full_is_undone_with_all_behind_it(
    disk: HangingDisk,
) -> None:
    disk.error = StorageFull("full")
    waiting = [disk.append()]
    await turn()
    waiting.append(disk.append())
    await disk.time.pass_seconds(HUNG_SECONDS)
    await disk.answer()
    assert [refusal(each) for each in waiting] == [OutcomeUnknown] * 2
    assert disk.rollbacks == [2]
    await disk.append()


async def test_a_hanging_write_that_fails_ends_it_for_good(disk: HangingDisk) -> None:
    disk.error = InputOutputFailed("the sync failed")
    disk.append()
    await turn()
    await disk.time.pass_seconds(HUNG_SECONDS)
    await disk.answer()
    assert [failure.detail for failure in disk.failures] == ["the sync failed"]
    assert refusal(disk.append()) is OutcomeUnknown


async def test_each_step_has_one_line_in_the_log(disk: HangingDisk) -> None:
    disk.append()
    await turn()
    with capture_logs() as logs:
        for _ in range(100):
            await disk.time.pass_seconds(1.0)
    assert [entry["seconds"] for entry in logs if entry["event"] == "disk_hangs"] == [
        SLOW_SECONDS,
        HUNG_SECONDS,
    ]
