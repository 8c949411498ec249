"""Nothing that a request needs is linear in the number of jobs: the work is counted, not timed."""

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from jobengine.model.commands import Claim, Sweep, Update
from jobengine.model.job import Job
from jobengine.model.states import State
from tests.support.commands import create, delete
from tests.support.pure_broker import PureBroker

FEW, MANY = 1_000, 30_000


def filled(jobs: int) -> PureBroker:
    """Jobs of three priorities, half of them claimed or ended."""
    broker = PureBroker()
    for number in range(jobs):
        broker.create(priority=1 + number % 3)
    for number in range(jobs // 4):
        job = broker.claim()
        assert job is not None
        if number % 2:
            broker.update(job, state=State.COMPLETE)
    return broker


@pytest.fixture(scope="module")
def few() -> PureBroker:
    """A queue with some jobs."""
    return filled(FEW)


@pytest.fixture(scope="module")
def many() -> PureBroker:
    """A queue with very many."""
    return filled(MANY)


def work(act: Callable[[], object]) -> int:
    """How many lines of Python are run, and functions in C called, to do it."""
    count = 0

    def local(_frame: FrameType, _event: str, _argument: object) -> object:
        nonlocal count
        count += 1
        return local

    def profile(_frame: FrameType, _event: str, _argument: object) -> None:
        nonlocal count
        count += 1

    tracing, profiling = sys.gettrace(), sys.getprofile()
    sys.settrace(local)
    sys.setprofile(profile)
    try:
        act()
    finally:
        sys.setprofile(profiling)
        sys.settrace(tracing)
    return count


def some_job(broker: PureBroker) -> Job:
    """A queued job from the middle."""
    jobs = list(broker.ledger.contents("mail").order.after(-1))
    return next(job for job in jobs[len(jobs) // 2 :] if job.state is State.QUEUED)


ACTS: dict[str, Callable[[PureBroker], Callable[[], object]]] = {
    "create": lambda broker: lambda: broker.do(create("mail", b"{}", 2, 60_000)),
    "claim": lambda broker: lambda: broker.do(Claim("mail", "reader")),
    "sweep": lambda broker: lambda: broker.do(Sweep(200)),
    "count": lambda broker: lambda: broker.ledger.count("mail"),
    "longest_waiting": lambda broker: broker.ledger.contents("mail").order.longest_waiting,
    "picture": lambda broker: lambda: broker.ledger.contents("mail").picture(after=5).slice(10),
}


def on_a_job(make: Callable[[Job], object]) -> Callable[[PureBroker], Callable[[], object]]:
    """An act on a job that is found before the counting."""

    def prepared(broker: PureBroker) -> Callable[[], object]:
        command = make(some_job(broker))
        return lambda: broker.do(command)

    return prepared


ACTS |= {
    "complete": on_a_job(lambda job: Update("mail", job.uid, "writer", True, state=State.COMPLETE)),
    "priority": on_a_job(lambda job: Update("mail", job.uid, "writer", True, priority=3)),
    "content": on_a_job(lambda job: Update("mail", job.uid, "writer", True, content=b"{1}")),
    "delete": on_a_job(lambda job: delete("mail", job.uid)),
}


@pytest.mark.parametrize("name", ACTS)
def test_thirty_times_the_jobs_are_hardly_more_work(few: PureBroker, many: PureBroker, name: str) -> None:
    def least(broker: PureBroker) -> int:
        return min(work(ACTS[name](broker)) for _ in range(5))

    assert least(many) <= 1.5 * least(few) + 60


def test_a_million_comparisons_are_not_needed_to_remove_jobs_of_the_same_time() -> None:
    broker = PureBroker()
    created = [broker.create() for _ in range(5_000)]  # all of one moment: one priority, one end
    assert work(lambda: broker.do(delete("mail", created[2_500].uid))) < 2_000
