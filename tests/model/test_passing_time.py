"""What passing time does to a job, whoever looks and whenever."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from jobengine.errors import NotFound
from jobengine.model.commands import Sweep
from jobengine.model.job import NEVER, Job, weight
from jobengine.model.states import State
from tests.model.stories import Step, changes_of_jobs, passes, stories, told
from tests.support.ledgers import everything
from tests.support.pure_broker import MAIL, RETRYING, PureBroker

WEEK_MS = 7 * 24 * 60 * 60 * 1000


def gone(broker: PureBroker, job: Job) -> bool:
    """Whether a look finds the job no more."""
    try:
        broker.look(job)
    except NotFound:
        return True
    return False


def test_a_queued_job_is_gone_at_its_end_and_not_before() -> None:
    broker = PureBroker()
    job = broker.create(valid_for=1_000)
    broker.now += 999
    assert not gone(broker, job)
    broker.now += 1
    assert gone(broker, job)
    assert broker.sweep().expired == 1
    assert broker.uids() == []


def test_a_lease_that_is_over_fails_the_job_at_that_moment() -> None:
    broker = PureBroker()
    job = broker.update(broker.create(), state=State.INPROGRESS)
    broker.now = job.lease_ends - 1
    assert broker.look(job).state is State.INPROGRESS
    broker.now += 100
    failed = broker.look(job)
    assert (failed.state, failed.updated, failed.claimer) == (State.FAILED, job.lease_ends, None)
    assert broker.sweep().timed_out == 1
    assert broker.look(job) == failed


def test_a_lease_that_is_over_gives_the_job_back_while_attempts_are_left() -> None:
    broker = PureBroker(RETRYING)
    job = broker.create(valid_for=10**9)
    for attempt in (1, 2):
        broker.claim()
        broker.now += RETRYING.lease
        assert (broker.look(job).state, broker.look(job).attempt) == (State.QUEUED, attempt)
        assert broker.sweep().retried == 1
    broker.claim()
    broker.now += RETRYING.lease
    assert broker.sweep().timed_out == 1
    assert broker.look(job).state is State.FAILED


def test_a_job_that_would_be_given_back_after_its_end_fails_and_does_not_vanish() -> None:
    broker = PureBroker(RETRYING)
    job = broker.create(valid_for=RETRYING.lease)
    broker.claim()
    broker.now += RETRYING.lease
    assert broker.look(job).state is State.FAILED
    assert broker.sweep().timed_out == 1


@pytest.mark.parametrize("state", [State.COMPLETE, State.FAILED])
def test_an_ended_job_is_forgotten_once_it_was_kept_long_enough(state: State) -> None:
    broker = PureBroker()
    job = broker.job_in(state)
    broker.now = job.updated + MAIL.keep - 1
    assert not gone(broker, job)
    broker.now += 1
    assert gone(broker, job)
    assert broker.sweep().forgotten == 1


def test_a_longer_keep_holds_for_jobs_that_ended_before_it() -> None:
    broker = PureBroker()
    job = broker.job_in(State.COMPLETE)
    broker.ledger.contents("mail").queue = replace(MAIL, keep=2 * MAIL.keep)
    broker.now = job.updated + MAIL.keep
    assert broker.sweep().total == 0
    broker.now += MAIL.keep
    assert broker.sweep().forgotten == 1


def test_a_job_that_timed_out_is_kept_from_that_moment_on() -> None:
    broker = PureBroker()
    job = broker.update(broker.create(), state=State.INPROGRESS)
    broker.now = job.lease_ends + MAIL.keep - 1
    assert broker.look(job).state is State.FAILED
    broker.now += 1
    assert gone(broker, job)


def test_a_sweep_takes_no_more_than_it_may() -> None:
    broker = PureBroker()
    for _ in range(10):
        broker.create(valid_for=1)
    broker.now += 1
    assert [broker.sweep(4).total for _ in range(4)] == [4, 4, 2, 0]


def test_a_sweep_of_one_queue_leaves_the_others() -> None:
    other = replace(MAIL, name="letters")
    broker = PureBroker(MAIL, other)
    broker.create(valid_for=1), broker.create(queue="letters", valid_for=1)
    broker.now += 1
    assert broker.do(Sweep(10, "letters")).expired == 1
    assert broker.uids("letters") == []
    assert len(broker.uids("mail")) == 1


# --- whoever looks, and whenever, sees the same ---


def swept_every_millisecond(broker: PureBroker, until: int) -> dict[str, Any]:
    """All that is left when nothing was ever due for longer than a millisecond."""
    while broker.now < until:
        broker.now += 1
        broker.sweep()
    return everything(broker.ledger)


def swept_once(broker: PureBroker, until: int) -> dict[str, Any]:
    """All that is left when a broker was down until then."""
    broker.now = until
    while broker.sweep(3).total:
        pass
    return everything(broker.ledger)


@given(stories, st.integers(1, 900))
def test_the_result_is_the_same_whether_it_is_swept_every_millisecond_or_once(
    story: list[Step], later: int
) -> None:
    often, seldom = told(story), told(story)
    until = often.now + later
    assert without_arrivals(swept_every_millisecond(often, until)) == without_arrivals(
        swept_once(seldom, until)
    )


@given(st.lists(changes_of_jobs | passes, max_size=30), st.integers(0, 900))
def test_a_look_sees_what_a_sweep_would_leave(story: list[Step], later: int) -> None:
    broker = told(story)
    broker.now += later
    jobs = [
        job for queue in broker.ledger.queues() for job in broker.ledger.contents(queue.name).jobs.values()
    ]
    seen = {(job.queue, job.uid): broker.look(job) for job in jobs if not gone(broker, job)}
    broker.sweep()
    left = {key: broker.look(job) for key, job in seen.items() if broker.ledger.job(*key)}
    dead = {key for key in seen if key not in left}
    assert {key: replace(job, order=0) for key, job in left.items()} == {
        key: replace(job, order=0) for key, job in seen.items() if key not in dead
    }
    assert all(is_dead_letter(broker, seen[key]) for key in dead)


def is_dead_letter(broker: PureBroker, job: Job) -> bool:
    """Whether it failed for good, and lies in the queue for such jobs."""
    letter = broker.ledger.job("grave", job.uid)
    return job.state is State.FAILED and letter is not None and letter.more.died_in == job.queue


@given(stories)
def test_a_week_without_anybody_leaves_only_what_has_no_end(story: list[Step]) -> None:
    broker = told(story)
    broker.now += WEEK_MS
    broker.sweep()
    every = [broker.ledger.contents(queue.name).jobs.values() for queue in broker.ledger.queues()]
    left = [job for jobs in every for job in jobs]
    assert all((job.state, job.expires) == (State.QUEUED, NEVER) for job in left)
    assert broker.ledger.totals.bytes == sum(weight(job) for job in left)
    assert len(broker.ledger.keys) == 0


def without_arrivals(held: dict[str, Any]) -> dict[str, Any]:
    """The same, but for the numbers of those that came: only their order means anything."""
    places = {
        name: [(replace(job, order=0), job.priority) for job in contents["order"]]
        for name, contents in held["queues"].items()
    }
    return {"places": places, "bytes": held["bytes"]}
