"""Stopping a job that has left something for its next attempt: a worker is to end that first."""

import pytest

from jobengine.errors import BadState
from jobengine.model.commands import Act, Amend, Fail, Release
from jobengine.model.extra import Asked, Reason
from jobengine.model.job import Job
from jobengine.model.obstacles import Cause, obstacles
from jobengine.model.states import State
from tests.model.test_control import done
from tests.model.test_log import Writing
from tests.support.pure_broker import MINUTE_MS, RETRYING

SAVED = b'{"done":3}'


def left(broker: Writing, *, valid_for: int | None = None) -> Job:
    """One that was begun, and given back with what it needs to go on."""
    if valid_for is not None:
        broker.create(valid_for=valid_for)
        job = broker.claim()
        assert job is not None
    else:
        job = broker.begin()
    return broker.settle(Release(job.uid, job.lease, saved=SAVED))


@pytest.mark.parametrize("is_halted", [True, False])
def test_it_is_handed_out_once_more_to_be_ended(is_halted: bool) -> None:
    broker = Writing(RETRYING)
    job = left(broker)
    if is_halted:
        done(broker, job, Act.HALT)
        assert broker.claim() is None
    stopped = done(broker, job, Act.STOP)
    assert (stopped.state, stopped.more.halted, stopped.more.asked) == (State.QUEUED, False, Asked.STOP)
    assert obstacles(stopped, broker.ledger, broker.now)[0].cause is Cause.LEFT
    again = broker.claim()
    assert again is not None
    assert (again.more.asked, again.more.saved) == (Asked.STOP, SAVED)
    ended = broker.settle(Fail(again.uid, again.lease, retry=False))
    assert (ended.state, ended.reason, ended.more.saved) == (State.FAILED, Reason.STOPPED, None)
    assert not ended.more.is_to_stop


def test_who_can_end_nothing_gives_it_back() -> None:
    broker = Writing(RETRYING)
    job = left(broker)
    done(broker, job, Act.STOP)
    again = broker.claim()
    assert again is not None
    ended = broker.settle(Release(again.uid, again.lease))
    assert (ended.state, ended.reason) == (State.FAILED, Reason.STOPPED)


def test_who_has_not_heard_of_it_leaves_it_to_the_next() -> None:
    broker = Writing(RETRYING)
    job = left(broker)
    done(broker, job, Act.STOP)
    claimed = broker.claim()
    assert claimed is not None
    back = broker.settle(Release(claimed.uid, claimed.lease, is_unseen=True))
    assert (back.state, back.more.asked, back.attempt) == (State.QUEUED, Asked.STOP, claimed.attempt - 1)
    claimed = broker.claim()
    assert claimed is not None
    assert claimed.more.asked is Asked.STOP


def test_one_that_had_nothing_to_leave_ends_though_nobody_has_heard_of_it() -> None:
    broker = Writing(RETRYING)
    job = broker.begin()
    done(broker, job, Act.STOP)
    ended = broker.settle(Release(job.uid, job.lease, is_unseen=True))
    assert (ended.state, ended.reason) == (State.FAILED, Reason.STOPPED)


def test_to_stop_it_again_ends_it_at_once() -> None:
    broker = Writing(RETRYING)
    job = left(broker)
    done(broker, job, Act.STOP)
    ended = done(broker, job, Act.STOP)
    assert (ended.state, ended.reason, ended.more.is_to_stop) == (State.FAILED, Reason.STOPPED, False)


def test_one_that_waits_for_its_time_is_ended_now() -> None:
    broker = Writing(RETRYING)
    left(broker)
    again = broker.claim()
    assert again is not None
    waits = broker.settle(Fail(again.uid, again.lease, delay=10 * MINUTE_MS))
    assert waits.more.not_before
    assert done(broker, waits, Act.STOP).more.not_before == 0
    assert broker.claim() is not None


def test_one_that_saves_when_it_was_stopped_meanwhile_is_ended_by_the_next() -> None:
    broker = Writing(RETRYING)
    job = broker.begin()
    done(broker, job, Act.HALT)
    done(broker, job, Act.STOP)
    put_back = broker.settle(Release(job.uid, job.lease, saved=SAVED))
    assert (put_back.state, put_back.more.asked) == (State.QUEUED, Asked.STOP)
    again = broker.claim()
    assert again is not None
    assert (again.more.asked, again.more.saved) == (Asked.STOP, SAVED)


def test_it_cannot_be_halted_and_resuming_changes_nothing() -> None:
    broker = Writing(RETRYING)
    job = left(broker)
    stopped = done(broker, job, Act.STOP)
    with pytest.raises(BadState, match="being stopped"):
        done(broker, job, Act.HALT)
    assert done(broker, job, Act.RESUME) == stopped


def test_its_time_in_the_queue_ends_it_as_stopped() -> None:
    broker = Writing(RETRYING)
    job = left(broker, valid_for=MINUTE_MS)
    done(broker, job, Act.STOP)
    broker.now += 2 * MINUTE_MS
    ended = broker.look(job)
    assert (ended.state, ended.reason) == (State.FAILED, Reason.STOPPED)


def test_the_end_of_its_lease_ends_it_as_stopped() -> None:
    broker = Writing(RETRYING)
    job = left(broker)
    done(broker, job, Act.STOP)
    assert broker.claim() is not None
    broker.now += 20 * MINUTE_MS
    ended = broker.look(job)
    assert (ended.state, ended.reason) == (State.FAILED, Reason.STOPPED)


def test_it_can_be_amended() -> None:
    broker = Writing(RETRYING)
    job = left(broker)
    done(broker, job, Act.STOP)
    assert broker.do(Amend("mail", job.uid, priority=3)).more.asked is Asked.STOP


def test_what_its_holder_puts_back_by_api_v1_is_halted_or_stopped_all_the_same() -> None:
    broker = Writing(RETRYING)
    held = broker.begin()
    done(broker, held, Act.HALT)
    put_back = broker.update(held, state=State.QUEUED, caller="reader")
    assert (put_back.state, put_back.more.halted) == (State.QUEUED, True)
    held = broker.begin()
    done(broker, held, Act.STOP)
    put_back = broker.update(held, state=State.QUEUED, caller="reader")
    assert (put_back.state, put_back.reason) == (State.FAILED, Reason.STOPPED)


def test_who_may_write_overrules_it_by_api_v1() -> None:
    broker = Writing(RETRYING)
    held = broker.begin()
    done(broker, held, Act.STOP)
    done(broker, held, Act.HALT)
    put_back = broker.update(held, state=State.QUEUED, caller="somebody-else")
    assert (put_back.state, put_back.more.asked) == (State.QUEUED, Asked.RUN)
