"""What becomes of jobs that failed: another attempt, the end, or a dead letter."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from jobengine.errors import BadState, NotFound
from jobengine.model.backoff import HOUR_MS, Backoff, ErrorRule
from jobengine.model.commands import Act, Amend, Claim, Control, Create, Draft, Fail, Options, Settle, only
from jobengine.model.extra import FAILURE_TEXT_MOST, FAILURES_MOST, Reason
from jobengine.model.job import NEVER, Job
from jobengine.model.states import State
from tests.support.pure_broker import MAIL, MINUTE_MS, RETRYING, PureBroker

STEADY = Backoff(first=1_000, factor=3.0, most=5_000, jitter=0.0)
PATIENT = replace(RETRYING, backoff=STEADY)
GRAVE = replace(MAIL, name="grave")
MORTAL = replace(MAIL, dead_letter="grave", max_attempts=1)
UID = "0a0b0c0d-1111-4111-8111-0123456789ab"


def held(broker: PureBroker, *, expires_in: int | None = None, **options: Any) -> Job:
    """A new job that is claimed."""
    broker.do(Create("mail", (Draft(b"{}", 50, expires_in, Options(**options)),)))
    return claimed(broker)


def claimed(broker: PureBroker) -> Job:
    """The next job."""
    (job,) = broker.do(Claim("mail", "reader", worker="w"))
    assert isinstance(job, Job)
    return job


def failed(broker: PureBroker, job: Job, **named: Any) -> Job:
    """The job after its holder has said so."""
    return only(broker.do(Settle("mail", (Fail(job.uid, job.lease, **named),))))


# --- delays ---


def test_delays_grow_to_the_most() -> None:
    delays = [STEADY.delay(attempt=attempt, uid="u") for attempt in (1, 2, 3, 1_000_000)]
    assert delays == [1_000, 3_000, 5_000, 5_000]


def test_of_a_list_the_last_delay_stays() -> None:
    listed = Backoff(delays=(7, 70), jitter=0.0)
    assert [listed.delay(attempt=attempt, uid="u") for attempt in (1, 2, 3)] == [7, 70, 70]


@given(st.integers(1, 2_000), st.uuids().map(str), st.floats(0, 1))
def test_jitter_is_bounded_and_whoever_computes_it_gets_the_same(
    attempt: int, uid: str, jitter: float
) -> None:
    backoff = Backoff(jitter=jitter)
    steady = Backoff(jitter=0.0).delay(attempt=attempt, uid=uid)
    delay = backoff.delay(attempt=attempt, uid=uid)
    assert abs(delay - steady) <= steady * jitter + 1
    assert delay == Backoff(jitter=jitter).delay(attempt=attempt, uid=uid)
    assert 0 <= delay <= 2 * HOUR_MS


def test_jitter_spreads_a_herd() -> None:
    delays = {Backoff().delay(attempt=1, uid=str(number)) for number in range(1_000)}
    assert min(delays) < 850
    assert max(delays) > 1_150
    assert len(delays) > 200


# --- another attempt ---


def test_a_failed_attempt_waits_as_the_queue_says_and_comes_to_its_old_place() -> None:
    broker = PureBroker(PATIENT)
    job = held(broker)
    broker.create()
    again = failed(broker, job, kind="net", text="no route")
    assert (again.state, again.order, again.more.not_before) == (State.QUEUED, job.order, broker.now + 1_000)
    (failure,) = again.more.failures
    assert (failure.attempt, failure.kind, failure.text, failure.worker) == (1, "net", "no route", "w")
    broker.now += 1_000
    assert (claimed(broker).uid, broker.look(job).attempt) == (job.uid, 2)


def test_attempts_are_used_up() -> None:
    broker = PureBroker(PATIENT)
    job = held(broker)
    for _ in range(2):
        assert failed(broker, job, delay=0).state is State.QUEUED
        job = claimed(broker)
    last = failed(broker, job)
    assert (last.state, last.reason, last.attempt) == (State.FAILED, Reason.ERROR, 3)


def test_the_job_may_say_more_attempts_than_its_queue_and_another_backoff() -> None:
    broker = PureBroker(MAIL)
    job = held(broker, max_attempts=2, backoff=Backoff(delays=(70,), jitter=0.0))
    assert failed(broker, job).more.not_before == broker.now + 70


@pytest.mark.parametrize(
    ("named", "delay"),
    [
        ({"delay": 77}, 77),
        ({"retry": False}, None),
        ({"retry": True}, 1_000),
        ({"kind": "final"}, None),
        ({"kind": "final", "retry": True}, 1_000),
        ({"kind": "slow"}, 400),
        ({"kind": "slow", "retry": False}, None),
        ({"kind": "unknown"}, 1_000),
    ],
    ids=str,
)
def test_kinds_of_errors_and_holders_decide(named: dict[str, Any], delay: int | None) -> None:
    rules = (ErrorRule("final", None), ErrorRule("slow", Backoff(delays=(400,), jitter=0.0)))
    broker = PureBroker(replace(PATIENT, error_rules=rules))
    after = failed(broker, held(broker), **named)
    assert after.state is (State.FAILED if delay is None else State.QUEUED)
    assert after.more.not_before == (0 if delay is None else broker.now + delay)


def test_nobody_retries_what_has_no_attempt_left() -> None:
    broker = PureBroker(MAIL)
    assert failed(broker, held(broker), retry=True, delay=5).state is State.FAILED


@pytest.mark.parametrize(("expires_in", "state"), [(1_000, State.FAILED), (1_001, State.QUEUED)])
def test_what_would_expire_before_its_next_attempt_fails_now(expires_in: int, state: State) -> None:
    broker = PureBroker(PATIENT)
    assert failed(broker, held(broker, expires_in=expires_in)).state is state


def test_only_the_newest_failures_and_the_start_of_their_texts_are_kept() -> None:
    broker = PureBroker(replace(RETRYING, max_attempts=100))
    job = held(broker)
    for number in range(FAILURES_MOST + 3):
        failed(broker, job, text=f"{number:03}" + "x" * 5_000, delay=0)
        job = claimed(broker)
    failures = job.more.failures
    assert [failure.attempt for failure in failures] == list(range(4, 14))
    assert {len(failure.text) for failure in failures} == {FAILURE_TEXT_MOST}


def test_a_lease_that_runs_out_is_a_failed_attempt_too() -> None:
    broker = PureBroker(RETRYING)
    job = held(broker)
    broker.now += RETRYING.lease
    (failure,) = broker.look(job).more.failures
    assert (failure.reason, failure.time, failure.worker) == (Reason.TIMEOUT, job.lease_ends, "w")


# --- dead letters ---


def test_a_job_that_failed_for_good_becomes_a_dead_letter() -> None:
    broker = PureBroker(MORTAL, GRAVE)
    job = held(broker, expires_in=MINUTE_MS, uid=UID, unique_key="k", tags=("t",))
    failed(broker, job, text="no")
    assert broker.uids() == []
    dead = broker.look(replace(job, queue="grave"))
    assert (dead.state, dead.attempt, dead.expires, dead.epoch) == (State.QUEUED, 0, NEVER, 1)
    assert (dead.more.died_in, dead.more.unique, dead.more.tags) == ("mail", None, ("t",))
    assert dead.more.failures[0].text == "no"


def test_a_job_that_timed_out_for_good_does_too_when_somebody_sweeps() -> None:
    broker = PureBroker(MORTAL, GRAVE)
    job = held(broker)
    broker.now += MORTAL.lease
    assert broker.look(job).state is State.FAILED
    broker.sweep()
    dead = broker.look(replace(job, queue="grave"))
    assert (dead.state, dead.more.failures[0].reason) == (State.QUEUED, Reason.TIMEOUT)


def test_a_dead_letter_is_not_lost_when_nobody_swept_for_longer_than_jobs_are_kept() -> None:
    broker = PureBroker(replace(MORTAL, keep=0), GRAVE)
    job = held(broker)
    broker.now += 10 * MORTAL.lease
    assert broker.sweep().timed_out == 1
    assert broker.look(replace(job, queue="grave")).state is State.QUEUED


def test_a_job_that_timed_out_and_is_amended_before_the_sweep_is_a_dead_letter_all_the_same() -> None:
    broker = PureBroker(MORTAL, GRAVE)
    job = held(broker)
    broker.now += MORTAL.lease
    broker.do(Amend("mail", job.uid, tags=("seen",)))
    assert broker.look(replace(job, queue="grave")).more.tags == ("seen",)


def test_what_was_stopped_or_expired_is_no_dead_letter() -> None:
    broker = PureBroker(MORTAL, GRAVE)
    job = broker.create()
    broker.do(Control("mail", (job.uid,), Act.STOP))
    assert broker.look(job).reason is Reason.STOPPED


def test_without_a_place_in_the_other_queue_it_stays_where_it_failed() -> None:
    broker = PureBroker(MORTAL, GRAVE)
    broker.do(Create("grave", (Draft(b"{}", 50, None, Options(uid=UID)),)))
    job = held(broker, uid=UID)
    assert failed(broker, job).state is State.FAILED
    assert broker.look(job).state is State.FAILED
    alone = PureBroker(MORTAL)
    assert alone.look(failed(alone, held(alone))).state is State.FAILED


def test_of_two_with_one_uid_that_time_out_together_none_is_lost() -> None:
    broker = PureBroker(MORTAL, replace(MORTAL, name="letters"), GRAVE)
    for queue in ("mail", "letters"):
        broker.do(Create(queue, (Draft(b"{}", 50, None, Options(uid=UID)),)))
        broker.do(Claim(queue, "reader"))
    broker.now += MORTAL.lease
    broker.sweep()
    broker.sweep()
    assert [broker.uids(queue) for queue in ("mail", "letters", "grave")].count([UID]) == 2
    assert broker.uids("grave") == [UID]


def test_a_dead_letter_goes_back_to_where_it_died_with_all_that_it_failed_with() -> None:
    broker = PureBroker(MORTAL, GRAVE)
    job = held(broker)
    failed(broker, job, text="no")
    back = only(broker.do(Control("grave", (job.uid,), Act.REDRIVE)))
    assert (back.queue, back.state, back.attempt, back.more.died_in) == ("mail", State.QUEUED, 0, None)
    assert back.more.failures[0].text == "no"
    again = claimed(broker)
    assert (again.uid, again.epoch) == (job.uid, 2)


def test_only_dead_letters_go_back_and_only_to_a_queue_that_is_there() -> None:
    broker = PureBroker(MORTAL, GRAVE)
    job = broker.create()
    with pytest.raises(BadState, match="no dead letter"):
        only(broker.do(Control("mail", (job.uid,), Act.REDRIVE)))
    with pytest.raises(NotFound):
        broker.do(Control("mail", (job.uid,), Act.REDRIVE, "letters"))
