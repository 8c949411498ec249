"""What a caller changes of a job: the settled points of API v1."""

from itertools import product
from typing import Any

import pytest

from jobengine.errors import BadState, Forbidden, NotFound, QueueFull
from jobengine.model.commands import Update
from jobengine.model.job import Job
from jobengine.model.order import LIVING
from jobengine.model.states import State
from tests.support.ledgers import everything
from tests.support.pure_broker import MAIL, MAIL_TOO, MINUTE_MS, RETRYING, PureBroker


def claimed(broker: PureBroker, claimer: str = "reader", **named: Any) -> Job:
    """A job that this service holds."""
    broker.create(**named)
    job = broker.claim(claimer)
    assert job is not None
    return job


def reader_update(job: Job, *, caller: str = "reader", **named: Any) -> Update:
    """What a service asks that may only read."""
    return Update(job.queue, job.uid, caller, may_write=False, **named)


# --- any status from any ---


@pytest.mark.parametrize(("before", "wanted"), list(product(LIVING, LIVING)))
def test_an_update_sets_any_status_from_any(before: State, wanted: State) -> None:
    broker = PureBroker()
    job = broker.job_in(before)
    assert broker.update(job, state=wanted).state is wanted
    assert broker.look(job).state is wanted


@pytest.mark.parametrize("before", LIVING)
def test_only_a_job_in_progress_has_a_lease(before: State) -> None:
    broker = PureBroker()
    for wanted in LIVING:
        job = broker.update(broker.job_in(before), state=wanted)
        assert job.lease_ends == (broker.now + MAIL.lease if wanted is State.INPROGRESS else 0)


@pytest.mark.parametrize("state", LIVING)
def test_an_update_changes_what_it_names_and_nothing_else(state: State) -> None:
    broker = PureBroker()
    job = broker.job_in(state, content=b'{"old": 1}')
    broker.now += 10
    named = {"content": b'{"new": 1}', "expires": broker.now + 77, "priority": 3}
    for field, value in named.items():
        before = broker.look(job)
        after = broker.update(job, **{field: value})
        assert getattr(after, field) == value
        for other in ("uid", "state", "content", "created", "expires", "priority", "attempt", "claimer"):
            if other != field:
                assert getattr(after, other) == getattr(before, other)


def test_an_update_says_when_it_was() -> None:
    broker = PureBroker()
    job = broker.create()
    broker.now += 10
    assert broker.update(job, priority=1).updated == broker.now


def test_the_time_of_an_update_is_never_that_of_the_create() -> None:
    broker = PureBroker()
    job = broker.create()
    assert broker.update(job, priority=1).updated == job.created + 1


def test_a_job_of_another_queue_is_not_found() -> None:
    broker = PureBroker(MAIL, MAIL_TOO)
    job = broker.create()
    assert isinstance(broker.refusal(Update("mail2", job.uid, "writer", may_write=True)), NotFound)


def test_an_unknown_job_is_not_found() -> None:
    broker = PureBroker()
    assert isinstance(broker.refusal(Update("mail", "no-uid", "writer", may_write=True)), NotFound)


# --- leases ---


def test_every_update_renews_a_lease() -> None:
    broker = PureBroker()
    job = claimed(broker)
    updates: list[dict[str, Any]] = [{"content": b"{}"}, {"priority": 7}, {"expires": job.expires + 1}]
    for named in [*updates, {"state": State.INPROGRESS}]:
        broker.now += MAIL.lease - 1
        assert broker.update(job, **named).lease_ends == broker.now + MAIL.lease


def test_an_update_that_comes_with_the_end_of_the_lease_comes_too_late() -> None:
    broker = PureBroker()
    job = claimed(broker)
    broker.now = job.lease_ends
    assert broker.look(job).state is State.FAILED
    assert isinstance(broker.refusal(reader_update(job, content=b"{}")), BadState)


def test_a_start_by_update_counts_as_an_attempt_and_once_only() -> None:
    broker = PureBroker()
    job = broker.update(broker.create(), state=State.INPROGRESS)
    assert job.attempt == 1
    assert broker.update(job, state=State.INPROGRESS).attempt == 1


def test_a_put_back_job_has_all_its_attempts_again() -> None:
    broker = PureBroker()
    job = claimed(broker)
    assert broker.update(job, state=State.QUEUED).attempt == 0


# --- who may only read ---


def test_a_reader_may_settle_what_it_claimed() -> None:
    broker = PureBroker()
    job = claimed(broker)
    settled = broker.do(reader_update(job, state=State.COMPLETE, content=b'{"result": 1}'))
    assert (settled.state, settled.content) == (State.COMPLETE, b'{"result": 1}')


@pytest.mark.parametrize("named", [{"priority": 50}, {"expires": 1}, {"priority": 1, "state": State.FAILED}])
def test_a_reader_may_name_only_status_and_content(named: dict[str, Any]) -> None:
    broker = PureBroker()
    job = claimed(broker)
    before = everything(broker.ledger)
    assert isinstance(broker.refusal(reader_update(job, **named)), Forbidden)
    assert everything(broker.ledger) == before


@pytest.mark.parametrize("state", LIVING)
def test_a_reader_may_not_touch_what_it_never_claimed(state: State) -> None:
    broker = PureBroker()
    job = broker.job_in(state)
    assert isinstance(broker.refusal(reader_update(job, state=State.COMPLETE)), Forbidden)


def test_a_reader_may_not_settle_what_another_claimed() -> None:
    broker = PureBroker()
    job = claimed(broker, "reader1")
    assert isinstance(broker.refusal(reader_update(job, caller="reader2", state=State.FAILED)), Forbidden)


def test_a_reader_may_settle_again_because_its_answer_was_lost() -> None:
    broker = PureBroker()
    job = claimed(broker)
    for _ in range(2):
        assert broker.do(reader_update(job, state=State.COMPLETE)).state is State.COMPLETE


def test_a_reader_that_put_its_job_back_holds_it_no_more() -> None:
    broker = PureBroker()
    job = claimed(broker)
    broker.do(reader_update(job, state=State.QUEUED))
    assert isinstance(broker.refusal(reader_update(job, state=State.COMPLETE)), Forbidden)


def test_a_reader_whose_lease_is_over_holds_its_job_no_more() -> None:
    for queue in (MAIL, RETRYING):
        broker = PureBroker(queue)
        job = claimed(broker, valid_for=10**9)
        broker.now = job.lease_ends
        assert isinstance(broker.refusal(reader_update(job, state=State.COMPLETE)), BadState)


@pytest.mark.parametrize("state", LIVING)
def test_a_status_set_by_a_writer_ends_the_hold_of_the_claimer(state: State) -> None:
    broker = PureBroker()
    job = claimed(broker)
    broker.update(job, state=state)
    assert isinstance(broker.refusal(reader_update(job, state=State.COMPLETE)), Forbidden)


def test_a_writer_that_names_no_status_leaves_the_job_with_its_claimer() -> None:
    broker = PureBroker()
    job = claimed(broker)
    broker.update(job, content=b"{}", priority=3)
    assert broker.refusal(reader_update(job, state=State.COMPLETE)) is None


def test_a_service_that_may_write_too_holds_on_to_what_it_claimed() -> None:
    broker = PureBroker()
    job = claimed(broker, "both")
    job = broker.update(job, caller="both", state=State.INPROGRESS)
    assert job.claimer == "both"


# --- the end of its time ---


@pytest.mark.parametrize("ago", [0, 1, MINUTE_MS])
def test_a_time_that_is_over_removes_a_queued_job(ago: int) -> None:
    broker = PureBroker()
    job = broker.create()
    assert broker.update(job, expires=broker.now - ago).expires == broker.now - ago
    assert broker.uids() == []
    with pytest.raises(NotFound):
        broker.look(job)


@pytest.mark.parametrize("state", [State.INPROGRESS, State.COMPLETE, State.FAILED])
def test_a_time_that_is_over_does_not_remove_any_other_job(state: State) -> None:
    broker = PureBroker()
    job = broker.job_in(state)
    broker.update(job, expires=1)
    assert broker.look(job).state is state


@pytest.mark.parametrize("state", [State.INPROGRESS, State.COMPLETE, State.FAILED])
def test_a_job_that_is_put_back_after_its_time_fails_and_does_not_vanish(state: State) -> None:
    broker = PureBroker()
    job = broker.job_in(state, valid_for=1_000)
    broker.now += 1_000
    assert broker.update(job, state=State.QUEUED).state is State.FAILED
    assert broker.look(job).state is State.FAILED


def test_a_job_that_is_put_back_with_new_time_is_queued() -> None:
    broker = PureBroker()
    job = broker.job_in(State.FAILED, valid_for=1_000)
    broker.now += 2_000
    assert broker.update(job, state=State.QUEUED, expires=broker.now + 1).state is State.QUEUED


def test_an_expired_job_cannot_be_updated_although_nobody_swept() -> None:
    broker = PureBroker()
    job = broker.create(valid_for=1_000)
    broker.now += 1_000
    assert isinstance(
        broker.refusal(Update("mail", job.uid, "writer", may_write=True, expires=broker.now + 1)), NotFound
    )


# --- memory ---


def test_content_that_memory_has_no_room_for_is_refused_and_nothing_changes() -> None:
    broker = PureBroker(bytes_limit=1_000)
    job = broker.create()
    before = everything(broker.ledger)
    with pytest.raises(QueueFull):
        broker.update(job, content=b"x" * 1_000, priority=7)
    assert everything(broker.ledger) == before


def test_a_job_may_shrink_although_the_limit_is_passed() -> None:
    broker = PureBroker()
    job = broker.create(content=b"x" * 1_000)
    broker.ledger.bytes_limit = 10
    assert broker.update(job, content=b"x").content == b"x"
    assert broker.update(job, state=State.COMPLETE).state is State.COMPLETE
