"""Jobs removed by hand, and the queues that the configuration names."""

import pytest
from msgspec.structs import replace

from jobengine.errors import NotFound
from jobengine.model.commands import Configure, Configured
from jobengine.model.order import LIVING
from jobengine.model.states import State
from tests.support.commands import delete, only_job
from tests.support.pure_broker import MAIL, MAIL_TOO, PureBroker


@pytest.mark.parametrize("state", LIVING)
def test_a_job_is_deleted_whatever_its_state(state: State) -> None:
    broker = PureBroker()
    job = broker.job_in(state)
    assert only_job(broker.do(delete("mail", job.uid))) == job
    assert broker.uids() == []
    assert isinstance(broker.refusal(delete("mail", job.uid)), NotFound)


def test_an_expired_job_cannot_be_deleted_although_nobody_swept() -> None:
    broker = PureBroker()
    job = broker.create(valid_for=1)
    broker.now += 1
    assert isinstance(broker.refusal(delete("mail", job.uid)), NotFound)


def test_a_job_of_another_queue_is_not_deleted() -> None:
    broker = PureBroker(MAIL, MAIL_TOO)
    job = broker.create()
    assert isinstance(broker.refusal(delete("mail2", job.uid)), NotFound)


def test_a_queue_that_is_not_named_is_dropped_with_its_jobs() -> None:
    broker = PureBroker(MAIL, MAIL_TOO)
    broker.create(), broker.create(), broker.create(queue="mail2")
    assert broker.do(Configure((MAIL_TOO,))) == Configured((), (), {"mail": 2})
    assert [queue.name for queue in broker.ledger.queues()] == ["mail2"]
    assert isinstance(broker.refusal(delete("mail", "any")), NotFound)


def test_a_dropped_queue_comes_back_empty() -> None:
    broker = PureBroker(MAIL)
    broker.create()
    broker.do(Configure(()))
    assert broker.do(Configure((MAIL,))) == Configured(("mail",), (), {})
    assert broker.uids() == []
    assert broker.ledger.totals.bytes == 0


def test_changed_settings_leave_the_jobs_alone() -> None:
    broker = PureBroker(MAIL)
    job = broker.create()
    changed = replace(MAIL, lease=1)
    assert broker.do(Configure((changed,))) == Configured((), ("mail",), {})
    assert broker.ledger.queue("mail") == changed
    assert broker.look(job) == job


def test_the_same_queues_again_change_nothing() -> None:
    broker = PureBroker(MAIL, MAIL_TOO)
    assert broker.do(Configure((MAIL_TOO, MAIL))) == Configured((), (), {})
