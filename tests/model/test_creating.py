"""New jobs."""

import pytest

from jobengine.errors import NotFound, QueueFull
from jobengine.model.blob import Blob
from jobengine.model.states import State
from tests.support.commands import create
from tests.support.ledgers import everything
from tests.support.pure_broker import PureBroker


def test_a_new_job_is_queued_and_was_never_handed_out() -> None:
    broker = PureBroker()
    job = broker.create(priority=80, valid_for=5_000, content=b'{"a": 1}')
    assert (job.state, job.priority, job.content) == (State.QUEUED, 80, b'{"a": 1}')
    assert (job.created, job.updated, job.expires) == (broker.now, broker.now, broker.now + 5_000)
    assert (job.attempt, job.claimer, job.lease_ends) == (0, None, 0)
    assert broker.look(job) == job


def test_a_queue_that_is_not_there_takes_no_job() -> None:
    with pytest.raises(NotFound):
        PureBroker().create(queue="letters")


def test_the_memory_limit_refuses_a_job_and_changes_nothing() -> None:
    broker = PureBroker(bytes_limit=2_000)
    broker.create(content=b"x" * 900)
    before = everything(broker.ledger)
    with pytest.raises(QueueFull):
        broker.create(content=b"x" * 900)
    assert everything(broker.ledger) == before


def test_room_is_there_again_once_a_job_has_gone() -> None:
    broker = PureBroker(bytes_limit=2_000)
    broker.update(broker.create(content=b"x" * 900, valid_for=1_000), priority=1)
    broker.now += 1_000
    broker.sweep()
    assert broker.ledger.totals.bytes == 0
    broker.create(content=b"x" * 900)


def test_a_big_value_takes_no_memory() -> None:
    broker = PureBroker(bytes_limit=1_000)
    broker.do(create("mail", Blob(10**9, b"digest", (8192,)), 50, 1_000))
    assert broker.ledger.totals.bytes < 1_000
