"""Most urgent first, first come first served among equals."""

from hypothesis import given
from hypothesis import strategies as st

from jobengine.model.job import Job
from jobengine.model.states import State
from tests.support.pure_broker import RETRYING, PureBroker

PRIORITIES = st.integers(min_value=1, max_value=100)


def drained(broker: PureBroker) -> list[str]:
    """The uids in the order in which claims hand them out."""
    claimed = []
    while (job := broker.claim()) is not None:
        claimed.append(job.uid)
    return claimed


@given(st.lists(PRIORITIES, max_size=60))
def test_the_most_urgent_is_handed_out_first_and_equals_as_they_came(priorities: list[int]) -> None:
    broker = PureBroker()
    created = [broker.create(priority=priority) for priority in priorities]
    expected = [job.uid for job in sorted(created, key=lambda job: -job.priority)]
    assert broker.uids() == expected
    assert drained(broker) == expected


def test_every_priority_from_1_to_100_is_kept_and_sorted() -> None:
    broker = PureBroker()
    created = [broker.create(priority=priority) for priority in range(1, 101)]
    assert [job.priority for job in created] == list(range(1, 101))
    assert drained(broker) == [job.uid for job in reversed(created)]


def test_a_changed_priority_puts_the_job_behind_its_new_equals() -> None:
    broker = PureBroker()
    moved, before, behind = broker.create(priority=10), broker.create(priority=90), broker.create(priority=20)
    broker.update(moved, priority=90)
    assert broker.uids() == [before.uid, moved.uid, behind.uid]


def test_a_priority_changed_there_and_back_ends_behind_its_old_equals() -> None:
    broker = PureBroker()
    moved, other = broker.create(), broker.create()
    broker.update(moved, priority=51)
    broker.update(moved, priority=50)
    assert broker.uids() == [other.uid, moved.uid]


def test_the_same_priority_again_moves_nothing() -> None:
    broker = PureBroker()
    first, second = broker.create(), broker.create()
    broker.update(first, priority=50)
    assert broker.uids() == [first.uid, second.uid]


def test_an_update_of_anything_else_moves_nothing() -> None:
    broker = PureBroker()
    first, second = broker.create(), broker.create()
    broker.update(first, content=b'{"new": 1}')
    broker.update(first, expires=broker.now + 5)
    broker.update(first, state=State.QUEUED)
    assert broker.uids() == [first.uid, second.uid]


def test_a_claimed_or_ended_job_keeps_its_place_in_the_whole_order() -> None:
    broker = PureBroker()
    created = [broker.create() for _ in range(3)]
    broker.claim()
    broker.update(created[1], state=State.COMPLETE)
    assert broker.uids() == [job.uid for job in created]


def test_a_job_that_is_put_back_goes_behind_its_equals() -> None:
    for state in (State.INPROGRESS, State.COMPLETE, State.FAILED):
        broker = PureBroker()
        first, second, urgent = broker.create(), broker.create(), broker.create(priority=51)
        broker.update(first, state=state)
        broker.update(first, state=State.QUEUED)
        assert drained(broker) == [urgent.uid, second.uid, first.uid]


def test_a_job_whose_lease_is_over_has_its_old_place() -> None:
    broker = PureBroker(RETRYING)
    first, second = broker.create(valid_for=10**9), broker.create(valid_for=10**9)
    broker.claim()
    broker.now += 10**6
    broker.sweep()
    assert drained(broker) == [first.uid, second.uid]


def test_no_two_jobs_share_an_arrival_whatever_happens_to_them() -> None:
    broker = PureBroker(RETRYING)
    created = [broker.create(priority=number % 3 + 1, valid_for=10**9) for number in range(30)]
    for job in created[::2]:
        broker.update(job, priority=50)
    for _ in range(10):
        broker.claim()
    broker.now += 10**6
    broker.sweep()
    jobs: list[Job] = list(broker.ledger.contents("mail").jobs.values())
    assert len({job.arrival for job in jobs}) == 30
