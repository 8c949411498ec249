"""Claims of many jobs, and what their holders may say of them."""

from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace

from jobengine.errors import BadState, LeaseLost, NotFound
from jobengine.model.commands import (
    Act,
    Amend,
    Claim,
    ClaimAny,
    Complete,
    Control,
    Create,
    Draft,
    Extend,
    Fail,
    Options,
    Progress,
    Release,
    Settle,
    Settlement,
    Steer,
    Update,
    only,
)
from jobengine.model.extra import Asked, Reason
from jobengine.model.job import Job
from jobengine.model.states import State
from tests.support.ledgers import everything
from tests.support.pure_broker import MAIL, MAIL_TOO, RETRYING, PureBroker

LEASE_MS = 1_000


def held(broker: PureBroker, **options: Any) -> Job:
    """A new job that is claimed for a second."""
    broker.do(Create("mail", (Draft(b"{}", 50, None, Options(**options)),)))
    (job,) = broker.do(Claim("mail", "reader", lease=LEASE_MS, worker="w"))
    assert isinstance(job, Job)
    return job


def settled(broker: PureBroker, settlement: Settlement) -> Job:
    """What is left of the job. Raises the refusal."""
    return only(broker.do(Settle("mail", (settlement,))))


EVERY_WORD = [
    Complete("", 0),
    Fail("", 0),
    Release("", 0),
    Extend("", 0, by=5_000),
    Progress("", 0, b"1"),
]
every_word = pytest.mark.parametrize("word", EVERY_WORD, ids=lambda word: type(word).__name__.lower())


# --- claims ---


def test_a_claim_of_many_gives_the_most_urgent_each_with_a_lease_of_its_own() -> None:
    broker = PureBroker()
    for priority in (10, 90, 50):
        broker.create(priority=priority)
    jobs = broker.do(Claim("mail", "reader", most=2, worker="w1"))
    assert [job.priority for job in jobs] == [90, 50]
    assert len({job.lease for job in jobs} | {0}) == 3
    assert {(job.worker, job.epoch, job.state) for job in jobs} == {("w1", 1, State.INPROGRESS)}
    assert len(broker.do(Claim("mail", "reader", most=2))) == 1


def test_a_claim_says_how_long_its_lease_is_and_a_timeout_bounds_it() -> None:
    broker = PureBroker()
    assert held(broker).lease_ends == broker.now + LEASE_MS
    assert held(broker, timeout=300).lease_ends == broker.now + 300
    assert held(broker, timeout=3_000).lease_ends == broker.now + LEASE_MS


def test_an_epoch_rises_with_each_claim_and_never_falls() -> None:
    broker = PureBroker()
    job = held(broker)
    settled(broker, Release(job.uid, job.lease))
    again = broker.claim()
    assert again is not None
    assert (again.epoch, again.attempt) == (2, 1)
    broker.update(again, state=State.FAILED)
    broker.do(Control("mail", (job.uid,), Act.RETRY))
    third = broker.claim()
    assert third is not None
    assert (third.epoch, third.attempt) == (3, 1)
    assert len({job.lease, again.lease, third.lease}) == 3


def test_a_paused_queue_hands_out_nothing_and_then_all() -> None:
    broker = PureBroker()
    job = broker.create()
    broker.do(Steer("mail", is_paused=True))
    assert broker.claim() is None
    assert broker.do(ClaimAny((("mail", 1),), "reader")) == ()
    broker.do(Steer("mail", is_paused=False))
    claimed = broker.claim()
    assert claimed is not None
    assert claimed.uid == job.uid


def drawn(weights: dict[str, int], jobs: dict[str, int], most: int, times: int) -> Counter[str]:
    """From which queues jobs come."""
    broker = PureBroker(MAIL, MAIL_TOO, replace(MAIL, name="mail3"))
    counts: Counter[str] = Counter()
    claim = ClaimAny(tuple(weights.items()), "reader", most)
    for name, number in jobs.items():
        broker.do(Create(name, (Draft(b"{}", 50, None),) * number))
    for _ in range(times):
        for job in broker.do(claim):
            counts[job.queue] += 1
            broker.do(Settle(job.queue, (Release(job.uid, job.lease),)))
    return counts


def test_queues_are_drawn_as_often_as_their_weights_say() -> None:
    counts = drawn({"mail": 3, "mail2": 1}, {"mail": 1, "mail2": 1}, most=1, times=2_000)
    assert 0.71 < counts["mail"] / 2_000 < 0.79


def test_a_queue_without_work_leaves_its_share_to_the_others_evenly() -> None:
    counts = drawn({"mail": 1, "mail2": 1, "mail3": 1}, {"mail2": 1, "mail3": 1}, most=1, times=2_000)
    assert 0.46 < counts["mail2"] / 2_000 < 0.54


def test_a_claim_of_several_queues_takes_all_there_is_and_no_job_twice() -> None:
    broker = PureBroker(MAIL, MAIL_TOO)
    for number in range(10):
        broker.create(queue="mail" if number % 3 else "mail2")
    jobs = broker.do(ClaimAny((("mail", 1), ("mail2", 5)), "reader", most=50))
    assert len({job.uid for job in jobs}) == len({job.lease for job in jobs}) == len(jobs) == 10


def test_a_claim_of_a_queue_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound):
        PureBroker().do(ClaimAny((("mail", 1), ("letters", 1)), "reader"))


# --- what a holder says ---


def test_a_complete_job_keeps_its_result() -> None:
    broker = PureBroker()
    job = held(broker)
    done = settled(broker, Complete(job.uid, job.lease, b'"r"'))
    assert (done.state, done.more.result, done.lease_ends) == (State.COMPLETE, b'"r"', 0)
    assert broker.look(job) == done


def test_complete_said_twice_by_its_holder_is_the_same_as_once() -> None:
    broker = PureBroker()
    job = held(broker)
    done = settled(broker, Complete(job.uid, job.lease, b"1"))
    broker.now += 5
    assert settled(broker, Complete(job.uid, job.lease, b"2")) == done


def test_a_release_gives_place_and_attempt_back() -> None:
    broker = PureBroker()
    job = held(broker)
    broker.create()
    back = settled(broker, Release(job.uid, job.lease))
    assert (back.state, back.attempt, back.order, back.claimer) == (State.QUEUED, 0, job.order, None)
    again = broker.claim()
    assert again is not None
    assert again.uid == job.uid


def test_a_release_with_a_delay_is_handed_out_then_and_not_before() -> None:
    broker = PureBroker()
    job = held(broker)
    settled(broker, Release(job.uid, job.lease, delay=500))
    broker.now += 499
    assert broker.claim() is None
    broker.now += 1
    assert broker.claim() is not None


def test_a_release_past_its_end_fails_and_does_not_vanish() -> None:
    broker = PureBroker()
    broker.create(valid_for=100)
    (job,) = broker.do(Claim("mail", "reader"))
    broker.now += 100
    failed = settled(broker, Release(job.uid, job.lease))
    assert (failed.state, failed.reason) == (State.FAILED, Reason.EXPIRED)


def test_an_extended_lease_ends_so_much_later_from_now() -> None:
    broker = PureBroker()
    job = held(broker)
    broker.now += 900
    assert settled(broker, Extend(job.uid, job.lease, by=5_000)).lease_ends == broker.now + 5_000
    broker.now += 4_999
    assert broker.look(job).state is State.INPROGRESS
    broker.now += 1
    assert broker.look(job).state is State.FAILED


def test_an_extended_lease_ends_with_its_timeout() -> None:
    broker = PureBroker()
    job = held(broker, timeout=1_500)
    broker.now += 900
    assert settled(broker, Extend(job.uid, job.lease, by=5_000)).lease_ends == broker.now + 600


def test_a_timeout_that_comes_while_it_is_done_counts_from_the_next_attempt() -> None:
    broker = PureBroker()
    job = held(broker)
    broker.do(Amend("mail", job.uid, timeout=10))
    assert settled(broker, Extend(job.uid, job.lease, by=5_000)).lease_ends == broker.now + 5_000


def test_progress_is_seen_until_the_next_attempt() -> None:
    broker = PureBroker()
    job = held(broker)
    assert settled(broker, Progress(job.uid, job.lease, b"0.5")).more.progress == b"0.5"
    settled(broker, Release(job.uid, job.lease))
    again = broker.claim()
    assert again is not None
    assert again.more.progress is None


@every_word
def test_a_stale_holder_changes_nothing(word: Settlement) -> None:
    broker = PureBroker(RETRYING)
    job = held(broker)
    broker.now += LEASE_MS
    broker.claim("another")
    before = everything(broker.ledger)
    with pytest.raises(LeaseLost):
        settled(broker, replace(word, uid=job.uid, lease=job.lease))
    assert everything(broker.ledger) == before


@every_word
def test_a_holder_whose_lease_is_over_changes_nothing_although_nobody_swept(word: Settlement) -> None:
    broker = PureBroker(RETRYING)
    job = held(broker)
    broker.now += LEASE_MS
    command = Settle("mail", (replace(word, uid=job.uid, lease=job.lease),))
    assert isinstance(broker.refusal(command), LeaseLost)


@every_word
@pytest.mark.parametrize("state", list(State)[:4])
def test_nobody_holds_the_lease_zero(word: Settlement, state: State) -> None:
    broker = PureBroker()
    job = broker.job_in(state)
    assert job.lease == 0
    command = Settle("mail", (replace(word, uid=job.uid, lease=0),))
    assert isinstance(broker.refusal(command), LeaseLost)


@every_word
def test_a_wrong_lease_and_a_job_that_is_not_there_are_refused(word: Settlement) -> None:
    broker = PureBroker()
    job = held(broker)
    words = (replace(word, uid=job.uid, lease=job.lease ^ 2), replace(word, uid="no-uid", lease=job.lease))
    wrong, missing = broker.do(Settle("mail", words))
    assert isinstance(wrong, LeaseLost)
    assert isinstance(missing, NotFound)


@every_word
def test_a_writer_of_version_one_ends_the_lease(word: Settlement) -> None:
    broker = PureBroker()
    job = held(broker)
    broker.update(job, state=State.INPROGRESS)
    command = Settle("mail", (replace(word, uid=job.uid, lease=job.lease),))
    assert isinstance(broker.refusal(command), LeaseLost)


def test_one_that_is_refused_does_not_hinder_the_others() -> None:
    broker = PureBroker()
    first, second = held(broker), held(broker)
    outcomes = broker.do(
        Settle("mail", (Complete(first.uid, 77), Complete(second.uid, second.lease), Fail("no-uid", 1)))
    )
    assert [type(outcome) for outcome in outcomes] == [LeaseLost, Job, NotFound]
    assert (broker.look(first).state, broker.look(second).state) == (State.INPROGRESS, State.COMPLETE)


def test_several_words_about_one_job_are_taken_in_order() -> None:
    broker = PureBroker()
    job = held(broker)
    words = (
        Extend(job.uid, job.lease, by=9_000),
        Progress(job.uid, job.lease, b"1"),
        Complete(job.uid, job.lease, b"2"),
        Fail(job.uid, job.lease),
    )
    *_, done, late = broker.do(Settle("mail", words))
    assert (done.state, done.more.progress, done.more.result) == (State.COMPLETE, b"1", b"2")
    assert isinstance(late, LeaseLost)
    assert broker.look(job) == done
    assert done.updated == job.updated + 3  # each word is a version


# --- when somebody does not want it done ---


def test_a_holder_hears_that_it_is_to_stop() -> None:
    broker = PureBroker()
    job = held(broker)
    assert job.more.asked is Asked.RUN
    broker.do(Control("mail", (job.uid,), Act.HALT))
    assert settled(broker, Extend(job.uid, job.lease, by=1)).more.asked is Asked.HALT
    broker.do(Control("mail", (job.uid,), Act.STOP))
    assert settled(broker, Extend(job.uid, job.lease, by=1)).more.asked is Asked.STOP


@pytest.mark.parametrize("word", [Fail("", 0, retry=True), Release("", 0)], ids=["fail", "release"])
def test_a_job_that_is_to_stop_is_not_done_again(word: Settlement) -> None:
    broker = PureBroker(RETRYING)
    job = held(broker)
    broker.do(Control("mail", (job.uid,), Act.STOP))
    stopped = settled(broker, replace(word, uid=job.uid, lease=job.lease))
    assert (stopped.state, stopped.reason, stopped.more.is_to_stop) == (State.FAILED, Reason.STOPPED, False)


def test_a_job_that_is_to_stop_and_is_done_nevertheless_is_complete() -> None:
    broker = PureBroker()
    job = held(broker)
    broker.do(Control("mail", (job.uid,), Act.STOP))
    assert settled(broker, Complete(job.uid, job.lease)).state is State.COMPLETE


def test_a_job_that_is_to_stop_stops_at_the_end_of_its_lease() -> None:
    broker = PureBroker(RETRYING)
    job = held(broker)
    broker.do(Control("mail", (job.uid,), Act.STOP))
    broker.now += LEASE_MS
    assert (broker.look(job).state, broker.look(job).reason) == (State.FAILED, Reason.STOPPED)
    with pytest.raises(BadState, match="failed already"):
        only(broker.do(Control("mail", (job.uid,), Act.STOP)))


def test_a_job_that_is_to_stop_and_fails_by_api_v1_is_stopped_and_no_dead_letter() -> None:
    broker = PureBroker(replace(MAIL, dead_letter="letters"), replace(MAIL_TOO, name="letters"))
    job = held(broker)
    broker.do(Control("mail", (job.uid,), Act.STOP))
    broker.do(Update("mail", job.uid, "reader", may_write=False, state=State.FAILED))
    assert (broker.look(job).state, broker.look(job).reason) == (State.FAILED, Reason.STOPPED)
