"""What people do to jobs and queues."""

from typing import Any

import pytest
from msgspec.structs import replace

from jobengine.errors import BadState, NotFound, QueueFull, VersionChanged
from jobengine.model.backoff import Backoff
from jobengine.model.commands import (
    Act,
    Amend,
    Claim,
    Configure,
    Control,
    Create,
    Draft,
    Options,
    Steer,
    only,
)
from jobengine.model.extra import Reason
from jobengine.model.job import NEVER, Job
from jobengine.model.obstacles import Cause, Obstacle, obstacles
from jobengine.model.states import State
from tests.support.ledgers import everything
from tests.support.pure_broker import MAIL, MAIL_TOO, PureBroker

FOUR = [State.QUEUED, State.INPROGRESS, State.COMPLETE, State.FAILED]


def done(
    broker: PureBroker, job: Job, act: Act, target: str | None = None, version: int | None = None
) -> Job:
    """What is left of it. Raises the refusal."""
    versions = () if version is None else (version,)
    return only(broker.do(Control(job.queue, (job.uid,), act, target, versions)))


def made(broker: PureBroker, state: State = State.QUEUED, **options: Any) -> Job:
    """A job in this state, with these options."""
    job: Job = broker.do(Create("mail", (Draft(b"{}", 50, None, Options(**options)),))).jobs[0]
    return job if state is State.QUEUED else broker.update(job, state=state)


# --- every act in every state: the state after it, or the refusal ---

OUTCOMES: dict[Act, tuple[object, object, object, object]] = {
    Act.DELETE: (State.GONE, State.GONE, State.GONE, State.GONE),
    Act.STOP: (State.FAILED, State.INPROGRESS, BadState, BadState),
    Act.HALT: (State.QUEUED, State.INPROGRESS, BadState, BadState),
    Act.RESUME: (State.QUEUED, State.INPROGRESS, BadState, BadState),
    Act.RETRY: (State.QUEUED, BadState, State.QUEUED, State.QUEUED),
    Act.MOVE: (State.QUEUED, BadState, State.COMPLETE, State.FAILED),
    Act.CLONE: (State.QUEUED, State.QUEUED, State.QUEUED, State.QUEUED),
    Act.REDRIVE: (State.QUEUED, BadState, State.QUEUED, State.QUEUED),
}
CASES = [(act, state, after) for act, row in OUTCOMES.items() for state, after in zip(FOUR, row, strict=True)]


@pytest.mark.parametrize(("act", "state", "after"), CASES)
def test_every_act_in_every_state(act: Act, state: State, after: object) -> None:
    broker = PureBroker(MAIL, MAIL_TOO)
    job = made(broker, state)
    before = everything(broker.ledger)
    target = "mail2" if act in (Act.MOVE, Act.CLONE, Act.REDRIVE) else None
    (outcome,) = broker.do(Control("mail", (job.uid,), act, target))
    if after is BadState:
        assert isinstance(outcome, BadState)
        assert everything(broker.ledger) == before
    elif after is State.GONE:
        assert broker.ledger.job("mail", job.uid) is None
    else:
        assert broker.look(outcome).state is after


def test_one_that_is_refused_does_not_hinder_the_others() -> None:
    broker = PureBroker()
    first, second = made(broker, State.COMPLETE), made(broker)
    outcomes = broker.do(Control("mail", (first.uid, "no-uid", second.uid, second.uid), Act.STOP))
    assert [type(outcome) for outcome in outcomes] == [BadState, NotFound, Job]


def test_only_the_version_that_was_seen_is_changed() -> None:
    broker = PureBroker()
    job = made(broker)
    with pytest.raises(VersionChanged):
        done(broker, job, Act.HALT, version=job.updated - 1)
    halted = done(broker, job, Act.HALT, version=job.updated)
    with pytest.raises(VersionChanged):
        broker.do(Amend("mail", job.uid, version=job.updated, priority=3))
    assert broker.do(Amend("mail", job.uid, version=halted.updated, priority=3)).priority == 3


def test_of_many_jobs_those_that_are_not_as_they_were_seen_are_left_alone() -> None:
    broker = PureBroker()
    seen = [made(broker) for _ in range(3)]
    broker.update(seen[1], state=State.INPROGRESS)
    uids, versions = tuple(job.uid for job in seen), tuple(job.updated for job in seen)
    outcomes = broker.do(Control("mail", uids, Act.DELETE, versions=versions))
    assert [type(outcome) for outcome in outcomes] == [Job, VersionChanged, Job]
    assert broker.ledger.job("mail", seen[1].uid) is not None


def test_a_queued_job_that_is_stopped_says_why_it_failed() -> None:
    broker = PureBroker()
    assert done(broker, made(broker), Act.STOP).reason is Reason.STOPPED


def test_a_halted_job_waits_in_its_place_until_it_is_resumed() -> None:
    broker = PureBroker()
    job, behind = made(broker), made(broker)
    done(broker, job, Act.HALT)
    assert [each.uid for each in broker.do(Claim("mail", "r"))] == [behind.uid]
    assert broker.claim() is None
    done(broker, job, Act.RESUME)
    assert [each.uid for each in broker.do(Claim("mail", "r"))] == [job.uid]


def test_a_retried_job_goes_behind_its_equals_and_has_no_end_when_its_own_has_gone_by() -> None:
    broker = PureBroker()
    job = broker.job_in(State.COMPLETE, valid_for=10)
    equal = broker.create()
    broker.now += 10
    again = done(broker, job, Act.RETRY)
    assert (again.expires, again.attempt, again.more.result) == (NEVER, 0, None)
    assert broker.uids() == [equal.uid, job.uid]


def test_a_retry_of_one_that_waits_for_its_time_lets_it_go() -> None:
    broker = PureBroker()
    job = made(broker, delay=1_000)
    assert broker.claim() is None
    done(broker, job, Act.RETRY)
    assert broker.claim() is not None


def test_a_moved_job_keeps_what_it_is_and_comes_behind_those_that_are_there() -> None:
    broker = PureBroker(MAIL, MAIL_TOO)
    job, there = made(broker, tags=("t",), delay=500), broker.create(queue="mail2")
    moved = done(broker, job, Act.MOVE, "mail2")
    assert (moved.uid, moved.more, moved.created) == (job.uid, job.more, job.created)
    assert (broker.uids("mail"), broker.uids("mail2")) == ([], [there.uid, job.uid])


def test_a_move_needs_a_queue_and_a_place_in_it() -> None:
    broker = PureBroker(MAIL, MAIL_TOO)
    uid = "0a0b0c0d-1111-4111-8111-0123456789ab"
    job = made(broker, uid=uid)
    broker.do(Create("mail2", (Draft(b"{}", 50, None, Options(uid=uid)),)))
    with pytest.raises(BadState, match="which queue"):
        done(broker, job, Act.MOVE)
    with pytest.raises(BadState, match="this uid"):
        done(broker, job, Act.MOVE, "mail2")
    with pytest.raises(NotFound):
        done(broker, job, Act.MOVE, "letters")


@pytest.mark.parametrize("act", [Act.MOVE, Act.CLONE])
def test_a_queue_that_drains_takes_no_job_from_anywhere(act: Act) -> None:
    broker = PureBroker(MAIL, MAIL_TOO)
    job = made(broker)
    broker.do(Steer("mail2", is_draining=True))
    with pytest.raises(BadState, match="drained"):
        done(broker, job, act, "mail2")


def test_a_clone_is_a_new_job_that_was_asked_the_same() -> None:
    broker = PureBroker()
    job = made(broker, tags=("t",), timeout=9, max_attempts=4, unique_key="k", backoff=Backoff(first=5))
    clone = done(broker, job, Act.CLONE)
    assert clone.uid != job.uid
    assert (clone.content, clone.more) == (job.content, replace(job.more, unique=None))


def test_each_clone_of_many_has_a_uid_of_its_own() -> None:
    broker = PureBroker()
    uids = tuple(made(broker).uid for _ in range(5))
    clones = broker.do(Control("mail", uids, Act.CLONE))
    assert len({*uids, *(clone.uid for clone in clones)}) == len(broker.uids()) == 10


@pytest.mark.parametrize("limit", [{"max_jobs": 3}, {"max_bytes": 10}])
def test_a_queue_that_is_full_takes_no_clones(limit: dict[str, int]) -> None:
    broker = PureBroker(replace(MAIL, **limit))
    uids = tuple(broker.create(content=b"123").uid for _ in range(2))
    outcomes = broker.do(Control("mail", uids, Act.CLONE))
    assert [isinstance(outcome, Job) for outcome in outcomes] == [True, False]
    assert isinstance(outcomes[1], QueueFull)


def test_memory_that_is_full_takes_no_clones() -> None:
    broker = PureBroker(bytes_limit=1_800)
    uids = tuple(broker.create().uid for _ in range(2))
    outcomes = broker.do(Control("mail", uids, Act.CLONE))
    assert [type(outcome) for outcome in outcomes] == [Job, QueueFull]


# --- amend ---


def test_what_is_named_is_amended_and_nothing_else() -> None:
    broker = PureBroker()
    job = made(broker, tags=("t",), timeout=5)
    amended = broker.do(Amend("mail", job.uid, content=b"[]", max_attempts=7))
    expected = replace(job, content=b"[]", updated=amended.updated, extra=replace(job.more, max_attempts=7))
    assert amended == expected == broker.look(job)
    assert amended.updated > job.updated


def test_only_a_queued_job_can_wait_for_a_time() -> None:
    broker = PureBroker()
    with pytest.raises(BadState, match="waits for nothing"):
        broker.do(Amend("mail", made(broker, State.INPROGRESS).uid, not_before=broker.now + 5))


def test_an_amended_time_counts() -> None:
    broker = PureBroker()
    job = made(broker, delay=1_000)
    broker.do(Amend("mail", job.uid, not_before=broker.now + 10))
    broker.now += 10
    claimed = broker.claim()
    assert claimed is not None
    assert claimed.uid == job.uid


def test_an_end_in_the_past_removes_a_queued_job() -> None:
    broker = PureBroker()
    job = made(broker)
    broker.do(Amend("mail", job.uid, expires=broker.now))
    assert broker.uids() == []


# --- queues ---


def test_a_hand_on_a_queue_survives_a_new_configuration() -> None:
    broker = PureBroker()
    broker.do(Steer("mail", is_paused=True, is_draining=True))
    broker.do(Configure((replace(MAIL, lease=5),)))
    queue = broker.ledger.queue("mail")
    assert (queue.is_paused_by_hand, queue.is_draining, queue.lease) == (True, True, 5)


def test_what_the_configuration_pauses_nobody_resumes_by_hand() -> None:
    broker = PureBroker(replace(MAIL, is_paused=True))
    with pytest.raises(BadState, match="configuration"):
        broker.do(Steer("mail", is_paused=False))
    broker.do(Configure((MAIL,)))
    assert broker.ledger.queue("mail").hands_out


# --- why ---


def why(broker: PureBroker, job: Job) -> list[Cause]:
    """What keeps it from being handed out."""
    return [each.cause for each in obstacles(broker.look(job), broker.ledger, broker.now)]


def test_why_names_all_that_keeps_a_job_waiting() -> None:
    broker = PureBroker()
    made(broker)
    job = made(broker)
    assert why(broker, job) == [Cause.BEHIND_OTHERS]
    broker.do(Amend("mail", job.uid, not_before=broker.now + 5))
    done(broker, job, Act.HALT)
    broker.do(Steer("mail", is_paused=True))
    assert why(broker, job) == [Cause.QUEUE_PAUSED, Cause.HALTED, Cause.NOT_BEFORE, Cause.BEHIND_OTHERS]


def test_why_says_who_holds_a_job_and_until_when() -> None:
    broker = PureBroker()
    made(broker)
    (job,) = broker.do(Claim("mail", "reader", worker="w"))
    assert obstacles(job, broker.ledger, broker.now) == (
        Obstacle(Cause.HELD, until=job.lease_ends, by="reader / w"),
    )
    done(broker, job, Act.STOP)
    assert why(broker, job) == [Cause.HELD, Cause.STOPPING]


def test_why_says_that_nothing_but_a_claimer_is_missing_or_that_it_has_ended() -> None:
    broker = PureBroker()
    job = made(broker)
    assert why(broker, job) == [Cause.NO_CLAIMER]
    stopped = done(broker, job, Act.STOP)
    assert obstacles(stopped, broker.ledger, broker.now) == (Obstacle(Cause.ENDED, by="stopped"),)
