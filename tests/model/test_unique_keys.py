"""Jobs that are there once: by their uid, by a unique key, by an idempotency key."""

from typing import Any

import pytest
from msgspec.structs import replace

from jobengine.errors import BadState, KeyReused, NotFound
from jobengine.model import keys
from jobengine.model.commands import (
    Act,
    Claim,
    Complete,
    Control,
    Create,
    Created,
    Draft,
    Idempotency,
    Options,
    Settle,
    Steer,
)
from jobengine.model.extra import UniqueFor
from jobengine.model.job import Job
from jobengine.model.states import State
from tests.support.commands import delete
from tests.support.pure_broker import MAIL, MAIL_TOO, RETRYING, PureBroker

UID = "0a0b0c0d-1111-4111-8111-0123456789ab"
DAY_MS = 24 * 60 * 60 * 1000


def one(content: bytes = b"{}", priority: int = 50, **options: Any) -> Create:
    """One job with these options."""
    return Create("mail", (Draft(content, priority, None, Options(**options)),))


def keyed(content: bytes = b"{}", **options: Any) -> Create:
    """One job with a unique key."""
    return one(content, unique_key="k", **options)


def requested(key: bytes, body: bytes = b"body", jobs: int = 1) -> Create:
    """A request with an idempotency key."""
    return Create("mail", (Draft(b"{}", 50, None),) * jobs, Idempotency(key, body))


def only(created: Created) -> Job:
    """The one job."""
    (job,) = created.jobs
    return job


def ended(broker: PureBroker) -> Job:
    """The next job, done."""
    (job,) = broker.do(Claim("mail", "reader"))
    (done,) = broker.do(Settle("mail", (Complete(job.uid, job.lease),)))
    assert isinstance(done, Job)
    return done


# --- a uid ---


def test_a_job_has_the_uid_that_its_caller_chose() -> None:
    created = PureBroker().do(one(uid=UID))
    assert (only(created).uid, created.known) == (UID, frozenset())


def test_the_same_uid_again_answers_with_the_job_that_is_there() -> None:
    broker = PureBroker()
    broker.do(one(uid=UID))
    broker.claim()
    again = broker.do(one(b"[]", uid=UID))
    assert (again.known, only(again).state, only(again).content) == ({0}, State.INPROGRESS, b"{}")
    assert len(broker.uids()) == 1


def test_a_repeated_create_does_not_undo_what_replaced_its_job() -> None:
    broker = PureBroker()
    first = keyed(b"1", uid=UID, replaces=True)
    broker.do(first)
    broker.do(keyed(b"2", replaces=True))
    assert only(broker.do(first)).content == b"2"


def test_a_uid_is_free_again_when_its_job_is_gone() -> None:
    broker = PureBroker()
    broker.do(one(uid=UID))
    broker.do(delete("mail", UID))
    assert broker.do(one(b"[]", uid=UID)).known == frozenset()


def test_a_uid_is_free_again_when_its_job_has_expired_although_nobody_swept() -> None:
    broker = PureBroker()
    broker.do(Create("mail", (Draft(b"{}", 50, 1_000, Options(uid=UID)),)))
    broker.now += 1_000
    assert only(broker.do(one(b"[]", uid=UID))).content == b"[]"
    assert broker.uids() == [UID]


def test_a_uid_twice_in_one_list_is_one_job() -> None:
    broker = PureBroker()
    created = broker.do(Create("mail", (Draft(b"{}", 50, None, Options(uid=UID)),) * 2))
    assert (created.known, [job.uid for job in created.jobs]) == ({1}, [UID, UID])


# --- a unique key ---


def test_a_key_that_is_taken_answers_with_the_job_that_has_it() -> None:
    broker = PureBroker()
    first = only(broker.do(keyed()))
    again = broker.do(keyed(b"[]"))
    assert (again.known, again.jobs) == ({0}, (first,))


def test_queues_do_not_share_keys() -> None:
    broker = PureBroker(MAIL, MAIL_TOO)
    broker.do(keyed())
    other = Create("mail2", (Draft(b"{}", 50, None, Options(unique_key="k")),))
    assert broker.do(other).known == frozenset()


def test_a_key_for_while_it_waits_is_free_once_it_is_claimed() -> None:
    broker = PureBroker()
    broker.do(keyed(unique_for=UniqueFor.QUEUED))
    assert broker.do(keyed()).known == {0}
    broker.claim()
    assert broker.do(keyed()).known == frozenset()


@pytest.mark.parametrize("swept", [False, True])
def test_a_key_for_while_it_waits_is_taken_again_once_the_lease_is_over(swept: bool) -> None:
    broker = PureBroker(RETRYING)
    first = only(broker.do(keyed(unique_for=UniqueFor.QUEUED)))
    broker.claim()
    broker.now += RETRYING.lease
    if swept:
        broker.sweep()
    assert only(broker.do(keyed(unique_for=UniqueFor.QUEUED))).uid == first.uid


@pytest.mark.parametrize("swept", [False, True])
def test_a_window_of_a_job_that_became_a_dead_letter_is_over(swept: bool) -> None:
    broker = PureBroker(replace(MAIL, dead_letter="grave"), replace(MAIL, name="grave"))
    first = only(broker.do(keyed(unique_for=UniqueFor.WINDOW, unique_window=DAY_MS)))
    broker.claim()
    broker.now += MAIL.lease
    if swept:
        broker.sweep()
    assert only(broker.do(keyed())).uid != first.uid


def test_windows_that_are_over_are_not_looked_at_again() -> None:
    broker = PureBroker()
    for _ in range(50):
        broker.do(keyed(unique_for=UniqueFor.WINDOW, unique_window=1))
        ended(broker)
        broker.now += 1
    assert len(list(broker.ledger.unique_holders("mail", "k", broker.now))) <= 2


def test_a_key_for_while_it_is_active_is_free_once_it_has_ended() -> None:
    broker = PureBroker()
    broker.do(keyed())
    broker.claim()
    assert broker.do(keyed()).known == {0}
    broker.now += MAIL.lease  # it has failed then, although nobody swept
    assert broker.do(keyed()).known == frozenset()


def test_a_key_is_free_once_its_job_timed_out_although_nobody_swept() -> None:
    broker = PureBroker()
    first = only(broker.do(keyed()))
    broker.claim()
    broker.now += MAIL.lease
    assert only(broker.do(keyed())).uid != first.uid


def test_a_key_for_a_window_is_free_when_that_is_over_and_not_before() -> None:
    broker = PureBroker()
    broker.do(keyed(unique_for=UniqueFor.WINDOW, unique_window=1_000))
    ended(broker)
    broker.now += 999
    assert broker.do(keyed()).known == {0}
    broker.now += 1
    assert broker.do(keyed()).known == frozenset()


def test_a_key_goes_with_its_job() -> None:
    broker = PureBroker()
    job = only(broker.do(keyed()))
    broker.do(delete("mail", job.uid))
    assert broker.do(keyed()).known == frozenset()


def test_a_key_counts_within_one_list() -> None:
    broker = PureBroker()
    drafts = tuple(Draft(content, 50, None, Options(unique_key="k")) for content in (b"1", b"2"))
    created = broker.do(Create("mail", drafts))
    assert (created.known, [job.content for job in created.jobs]) == ({1}, [b"1", b"1"])


def test_a_replacement_keeps_uid_and_place_and_starts_anew() -> None:
    broker = PureBroker()
    first = only(broker.do(keyed(b"1", tags=("old",))))
    behind = broker.create()
    replaced = only(broker.do(keyed(b"2", replaces=True, delay=5)))
    assert (replaced.uid, replaced.content, replaced.order) == (first.uid, b"2", first.order)
    assert (replaced.more.tags, replaced.more.not_before, replaced.attempt) == ((), broker.now + 5, 0)
    assert replaced.updated > first.updated
    assert broker.uids() == [first.uid, behind.uid]


def test_a_replacement_with_another_priority_has_another_place() -> None:
    broker = PureBroker()
    first = only(broker.do(keyed()))
    other = broker.create()
    broker.do(one(unique_key="k", replaces=True, priority=10))
    assert broker.uids() == [other.uid, first.uid]


def test_what_somebody_has_in_progress_is_not_replaced() -> None:
    broker = PureBroker()
    broker.do(keyed(b"1"))
    broker.claim()
    again = broker.do(keyed(b"2", replaces=True))
    assert (again.known, only(again).content) == ({0}, b"1")


def test_the_last_replacement_in_a_list_counts() -> None:
    broker = PureBroker()
    drafts = tuple(Draft(each, 50, None, Options(unique_key="k", replaces=True)) for each in (b"1", b"2"))
    broker.do(Create("mail", drafts))
    assert [broker.ledger.contents("mail").jobs[uid].content for uid in broker.uids()] == [b"2"]


def test_two_ended_jobs_with_one_key_are_not_both_retried() -> None:
    broker = PureBroker()
    uids = []
    for _ in range(2):
        broker.do(keyed())
        uids.append(ended(broker).uid)
    outcomes = broker.do(Control("mail", tuple(uids), Act.RETRY))
    assert isinstance(outcomes[0], Job)
    assert isinstance(outcomes[1], BadState)


def test_a_move_to_where_one_with_its_uid_has_expired_goes_through_although_nobody_swept() -> None:
    broker = PureBroker(MAIL, MAIL_TOO)
    broker.do(one(uid=UID))
    broker.do(Create("mail2", (Draft(b"{}", 50, 1, Options(uid=UID)),)))
    broker.now += 1
    (moved,) = broker.do(Control("mail", (UID,), Act.MOVE, "mail2"))
    assert isinstance(moved, Job), moved
    assert broker.look(moved).queue == "mail2"


def test_a_move_into_a_queue_where_the_key_is_taken_is_refused() -> None:
    broker = PureBroker(MAIL, MAIL_TOO)
    job = only(broker.do(keyed()))
    broker.do(Create("mail2", (Draft(b"{}", 50, None, Options(unique_key="k")),)))
    assert isinstance(broker.refusal(Control("mail", (job.uid,), Act.MOVE, "mail2")), BadState)


# --- an idempotency key ---


def test_the_same_request_again_makes_nothing_and_answers_the_same() -> None:
    broker = PureBroker()
    first = broker.do(requested(b"a", jobs=2))
    again = broker.do(requested(b"a", jobs=2))
    assert (again.jobs, again.known) == (first.jobs, {0, 1})
    assert len(broker.uids()) == 2


def test_the_key_with_another_body_is_refused() -> None:
    broker = PureBroker()
    broker.do(requested(b"a"))
    with pytest.raises(KeyReused):
        broker.do(requested(b"a", b"other body"))


def test_it_is_answered_also_when_the_queue_takes_no_more() -> None:
    broker = PureBroker()
    broker.do(requested(b"a"))
    broker.do(Steer("mail", is_draining=True))
    assert broker.do(requested(b"a")).known == {0}


def test_jobs_that_are_gone_are_named() -> None:
    broker = PureBroker()
    first, second = broker.do(requested(b"a", jobs=2)).jobs
    broker.do(delete("mail", first.uid))
    again = broker.do(requested(b"a", jobs=2))
    assert (again.gone, [job.uid for job in again.jobs]) == ((first.uid,), [second.uid])


def test_after_a_day_the_key_is_forgotten_and_not_before() -> None:
    broker = PureBroker()
    broker.do(requested(b"a"))
    broker.now += DAY_MS - 1
    assert broker.do(requested(b"a")).known == {0}
    broker.now += 1
    assert broker.do(requested(b"a")).known == frozenset()
    broker.now += DAY_MS - 1
    assert broker.do(requested(b"a")).known == {0}


def test_a_sweep_forgets_old_keys() -> None:
    broker = PureBroker()
    for number in range(5):
        broker.do(requested(bytes([number])))
    broker.now += DAY_MS
    broker.sweep(3)
    assert len(broker.ledger.keys) == 2
    broker.sweep(3)
    assert (len(broker.ledger.keys), broker.ledger.totals.keys) == (0, 0)


def test_no_more_than_the_most_are_remembered_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "KEYS_MOST", 3)
    broker = PureBroker()
    for number in range(5):
        broker.do(requested(bytes([number])))
        assert len(broker.ledger.keys) <= 3
    assert [broker.ledger.key(bytes([number]), broker.now) is not None for number in range(5)] == [
        *(False, False),
        *(True, True, True),
    ]


def test_a_request_that_is_refused_leaves_its_key_free() -> None:
    broker = PureBroker()
    broker.do(Steer("mail", is_draining=True))
    with pytest.raises(BadState):
        broker.do(requested(b"a"))
    broker.do(Steer("mail", is_draining=False))
    assert broker.do(requested(b"a")).known == frozenset()


def test_a_key_of_a_queue_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound):
        PureBroker().do(Create("letters", (Draft(b"{}", 50, None),), Idempotency(b"a", b"b")))
