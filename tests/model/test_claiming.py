"""The first job, handed to the service that asks."""

import pytest

from jobengine.errors import NotFound
from jobengine.model.commands import Claim, ClaimAny
from jobengine.model.rules.claim import CONTENT_MOST_BYTES
from jobengine.model.states import State
from tests.support.pure_broker import MAIL, MINUTE_MS, PureBroker


def test_a_claim_names_the_claimer_and_starts_a_lease() -> None:
    broker = PureBroker()
    broker.create()
    broker.now += 5
    job = broker.claim("reader")
    assert job is not None
    assert (job.state, job.claimer, job.attempt) == (State.INPROGRESS, "reader", 1)
    assert (job.updated, job.lease_ends) == (broker.now, broker.now + MAIL.lease)
    assert broker.look(job) == job


@pytest.mark.parametrize(
    "command", [Claim("mail", "reader", 9), ClaimAny((("mail", 1),), "reader", 9)], ids=str
)
def test_a_claim_of_many_ends_where_one_answer_is_full(command: Claim | ClaimAny) -> None:
    broker = PureBroker()
    for _ in range(6):
        broker.create(content=b"x" * (CONTENT_MOST_BYTES // 4))
    assert len(broker.do(command)) == 4
    assert len(broker.do(command)) == 2


def test_an_empty_queue_gives_nothing() -> None:
    assert PureBroker().claim() is None


def test_a_queue_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound):
        PureBroker().claim(queue="letters")


def test_no_job_is_handed_out_twice() -> None:
    broker = PureBroker()
    broker.create()
    assert broker.claim() is not None
    assert broker.claim() is None


def test_a_claim_in_the_very_moment_of_the_create_is_later_than_it() -> None:
    broker = PureBroker()
    created = broker.create()
    job = broker.claim()
    assert job is not None
    assert job.updated > created.created


def test_an_expired_job_is_never_handed_out_although_nobody_swept() -> None:
    broker = PureBroker()
    broker.create(priority=90, valid_for=1_000)
    alive = broker.create(priority=10)
    broker.now += 1_000
    job = broker.claim()
    assert job is not None
    assert job.uid == alive.uid
    assert broker.claim() is None


def test_a_job_is_handed_out_until_the_last_millisecond_of_its_time() -> None:
    broker = PureBroker()
    broker.create(valid_for=1_000)
    broker.now += 999
    assert broker.claim() is not None


def test_a_job_in_progress_outlives_its_time_in_the_queue() -> None:
    broker = PureBroker()
    job = broker.create(valid_for=1_000)
    broker.claim()
    broker.now += MINUTE_MS
    broker.sweep()
    assert broker.look(job).state is State.INPROGRESS
