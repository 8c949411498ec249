"""The containers of one queue: what is known of overdue jobs, places and waiting times."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from jobengine.model.job import Job, order_of
from jobengine.model.order import LIVING, Order
from jobengine.model.states import State


def queued(arrival: int, *, expires: int, priority: int = 50) -> Job:
    """A job in a queue."""
    return Job(
        f"uid-{arrival}",
        "mail",
        State.QUEUED,
        order_of(priority=priority, arrival=arrival),
        b"{}",
        0,
        0,
        expires,
    )


class Looks:
    """Jobs that report each look at their end."""

    def __init__(self) -> None:
        self.count = 0

    def job(self, arrival: int, *, expires: int, priority: int = 50) -> Any:
        """A job that is counted."""
        return _Watched(queued(arrival, expires=expires, priority=priority), self)


class _Watched:
    """Stands for a job, and counts."""

    def __init__(self, job: Job, looks: Looks) -> None:
        self._job = job
        self._looks = looks

    def __getattr__(self, name: str) -> object:
        self._looks.count += name == "expires"
        return getattr(self._job, name)


def test_the_first_that_is_alive_is_found_behind_those_that_are_overdue() -> None:
    order = Order([queued(1, expires=5), queued(2, expires=9), queued(3, expires=5)])
    assert order.first_ready(4) == queued(1, expires=5)
    assert order.first_ready(5) == queued(2, expires=9)
    assert order.first_ready(9) is None


def test_overdue_jobs_are_stepped_over_in_slices() -> None:
    order = Order([queued(number, expires=5) for number in range(1, 26)])
    assert [order.skip_overdue(5, 10) for _ in range(3)] == [False, False, True]


def test_each_overdue_job_is_looked_at_once_however_many_claims_come() -> None:
    looks = Looks()
    order = Order([looks.job(number, expires=5) for number in range(1, 1_001)])
    for _ in range(100):
        assert order.first_ready(5) is None
    assert looks.count < 1_100


def test_urgent_jobs_that_come_and_go_do_not_let_the_overdue_be_looked_at_again() -> None:
    looks = Looks()
    overdue = [looks.job(number, expires=5, priority=1 + number % 3 * 40) for number in range(1, 1_001)]
    order = Order(overdue)
    for number in range(2_000, 2_300):
        job = queued(number, expires=99, priority=number % 100 + 1)
        order.add(job)
        assert order.first_ready(5) == job
        order.remove(job)
        assert order.first_ready(5) is None
    assert looks.count < 1_500


def test_overdue_jobs_that_were_swept_leave_nothing_behind() -> None:
    overdue = [queued(number, expires=5) for number in range(1, 20)]
    order = Order(overdue)
    assert order.first_ready(5) is None
    for job in overdue:
        order.remove(job)
    order.add(queued(20, expires=9))
    assert order.first_ready(5) == queued(20, expires=9)


def test_a_claim_that_was_undone_is_found_again_behind_what_was_skipped_meanwhile() -> None:
    alive = queued(1, expires=99)
    order = Order([alive, queued(2, expires=5)])
    order.remove(alive)  # claimed
    assert order.first_ready(5) is None
    order.add(alive)  # undone: the disk was full
    assert order.first_ready(5) == alive


orders = st.lists(
    st.tuples(st.sampled_from([1, 50, 100]), st.integers(0, 20), st.sampled_from(LIVING)), max_size=30
)


def jobs_of(drawn: list[tuple[int, int, State]]) -> list[Job]:
    """One job for each."""
    return [
        replace(queued(arrival, expires=expires, priority=priority), state=state)
        for arrival, (priority, expires, state) in enumerate(drawn, 1)
    ]


@given(orders, st.lists(st.tuples(st.integers(0, 29), st.integers(0, 3)), max_size=60))
def test_the_first_ready_is_the_least_of_the_living_whatever_came_and_went(
    drawn: list[tuple[int, int, State]], events: list[tuple[int, int]]
) -> None:
    jobs = jobs_of(drawn)
    order, inside, now = Order(jobs), dict(enumerate(jobs)), 0
    for number, passing in events:
        now += passing
        if number in inside:
            order.remove(inside.pop(number))
        elif number < len(jobs):
            inside[number] = jobs[number]
            order.add(jobs[number])
        living = [job for job in inside.values() if job.state is State.QUEUED and job.expires > now]
        assert order.first_ready(now) == min(living, key=lambda job: job.order, default=None)


@given(orders, st.integers(0, 30))
def test_the_whole_is_in_order_over_all_states_and_ranks_are_places_in_it(
    drawn: list[tuple[int, int, State]], some: int
) -> None:
    jobs = sorted(jobs_of(drawn), key=lambda job: job.order)
    order = Order(jobs)
    assert list(order.after(-1)) == jobs
    assert [order.rank(job.order) for job in jobs] == list(range(len(jobs)))
    assert {state: order.count(state) for state in LIVING} == {
        state: sum(job.state is state for job in jobs) for state in LIVING
    }
    if jobs:
        place = some % len(jobs)
        assert list(order.after(jobs[place].order)) == jobs[place + 1 :]


@given(orders)
def test_the_job_that_waited_longest_is_found_whatever_its_priority(
    drawn: list[tuple[int, int, State]],
) -> None:
    waiting = [job for job in jobs_of(drawn) if job.state is State.QUEUED]
    longest = Order(jobs_of(drawn)).longest_waiting()
    assert longest == min(waiting, key=lambda job: job.arrival, default=None)
