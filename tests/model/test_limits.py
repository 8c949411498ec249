"""Queues that are full, and memory that is."""

import pytest
from msgspec.structs import replace

from jobengine.errors import BadState, QueueFull
from jobengine.model.commands import Create, Draft, Options, Steer
from jobengine.model.extra import UniqueFor
from jobengine.model.queue import WhenFull
from tests.support.ledgers import everything
from tests.support.pure_broker import MAIL, PureBroker

TWO = replace(MAIL, max_jobs=2)
DROPPING = replace(TWO, when_full=WhenFull.DROP_LOWEST)
TEN_BYTES = replace(MAIL, max_bytes=10)


def batch(*priorities: int) -> Create:
    """New jobs of these priorities."""
    return Create("mail", tuple(Draft(b"{}", priority, None) for priority in priorities))


def priorities(broker: PureBroker) -> list[int]:
    """Of all jobs, in order."""
    return [job.priority for job in broker.ledger.contents("mail").order.after(-1)]


def test_a_full_queue_takes_no_more_and_says_which_limit() -> None:
    broker = PureBroker(TWO)
    broker.do(batch(50, 50))
    with pytest.raises(QueueFull, match="max_jobs and max_bytes of mail"):
        broker.do(batch(90))


def test_what_is_handed_out_makes_room() -> None:
    broker = PureBroker(TWO)
    broker.do(batch(50, 50))
    broker.claim()
    broker.do(batch(50))
    assert isinstance(broker.refusal(batch(50)), QueueFull)


def test_a_list_that_does_not_fit_leaves_nothing() -> None:
    broker = PureBroker(TWO)
    before = everything(broker.ledger)
    assert isinstance(broker.refusal(batch(50, 50, 50)), QueueFull)
    assert everything(broker.ledger) == before


def test_contents_are_limited_to_the_byte() -> None:
    broker = PureBroker(TEN_BYTES)
    broker.create(content=b"12345678")
    assert isinstance(broker.refusal(Create("mail", (Draft(b"123", 50, None),))), QueueFull)
    broker.create(content=b"12")


def test_the_lowest_goes_for_one_that_stands_before_it() -> None:
    broker = PureBroker(DROPPING)
    broker.do(batch(10, 50))
    broker.do(batch(90))
    assert priorities(broker) == [90, 50]


def test_the_youngest_of_the_lowest_goes() -> None:
    broker = PureBroker(DROPPING)
    old, _young = broker.do(batch(10, 10)).jobs
    broker.do(batch(90))
    assert broker.uids()[1:] == [old.uid]


def test_none_goes_for_one_that_stands_behind_it() -> None:
    broker = PureBroker(DROPPING)
    broker.do(batch(50, 50))
    assert isinstance(broker.refusal(batch(50)), QueueFull)
    assert isinstance(broker.refusal(batch(90, 10)), QueueFull)


def test_as_many_go_as_a_large_one_needs() -> None:
    broker = PureBroker(replace(TEN_BYTES, when_full=WhenFull.DROP_LOWEST))
    for _ in range(5):
        broker.create(content=b"{}", priority=10)
    broker.create(content=b"[1,2]", priority=90)
    assert priorities(broker) == [90, 10, 10]
    large = Create("mail", (Draft(b"x" * 11, 99, None),))
    assert isinstance(broker.refusal(large), QueueFull)


def test_one_that_waits_for_its_time_may_be_the_lowest() -> None:
    broker = PureBroker(DROPPING)
    broker.do(Create("mail", (Draft(b"{}", 10, None, Options(delay=1_000)), Draft(b"{}", 50, None))))
    broker.do(batch(90))
    assert priorities(broker) == [90, 50]


def test_jobs_that_are_there_already_need_no_room() -> None:
    broker = PureBroker(DROPPING)
    again = Create("mail", (Draft(b"{}", 90, None, Options(uid="7" * 8 + "-1111-4111-8111-" + "7" * 12)),))
    broker.do(again)
    broker.do(batch(50))
    broker.ledger.contents("mail").queue = replace(DROPPING, max_jobs=1)
    assert broker.do(again).known == {0}
    assert len(broker.uids()) == 2


def keyed(content: bytes, priority: int = 50) -> Draft:
    """A job that replaces the one with its key."""
    return Draft(content, priority, None, Options(unique_key="k", replaces=True))


def test_a_replacement_is_measured_by_what_it_grows() -> None:
    broker = PureBroker(TEN_BYTES)
    broker.do(Create("mail", (keyed(b"12345678"),)))
    broker.do(Create("mail", (keyed(b"1234567890"),)))
    assert isinstance(broker.refusal(Create("mail", (keyed(b"12345678901"),))), QueueFull)
    assert broker.ledger.contents("mail").queued_bytes == 10


def test_a_replacement_does_not_make_way_for_itself() -> None:
    broker = PureBroker(DROPPING)
    broker.do(Create("mail", (keyed(b"{}", 10), Draft(b"{}", 50, None))))
    command = Create("mail", (keyed(b"[]", 10), Draft(b"{}", 90, None)))
    assert isinstance(broker.refusal(command), QueueFull)
    assert priorities(broker) == [50, 10]


def test_a_queue_that_drains_takes_no_more_but_knows_what_it_has() -> None:
    broker = PureBroker()
    job = broker.create()
    broker.do(Steer("mail", is_draining=True))
    with pytest.raises(BadState, match="drained"):
        broker.create()
    assert broker.claim() is not None
    assert broker.look(job).attempt == 1
    broker.do(Steer("mail", is_draining=False))
    broker.create()


def test_memory_refuses_a_list_as_a_whole() -> None:
    broker = PureBroker(bytes_limit=2_000)
    assert isinstance(broker.refusal(batch(*[50] * 4)), QueueFull)
    assert broker.uids() == []
    broker.do(batch(50, 50, 50))


def test_memory_counts_tags_too() -> None:
    broker = PureBroker(bytes_limit=900)
    tagged = Draft(b"{}", 50, None, Options(tags=("a",) * 10, unique_for=UniqueFor.QUEUED))
    assert isinstance(broker.refusal(Create("mail", (tagged,))), QueueFull)
    broker.do(batch(50))
