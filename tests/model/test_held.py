"""Jobs that wait for a time, or are halted."""

from hypothesis import given
from hypothesis import strategies as st

from jobengine.model.commands import Act, Claim, Control, Create, Draft, Options
from jobengine.model.order import Order
from jobengine.model.states import State
from tests.support.ledgers import everything
from tests.support.pure_broker import PureBroker


def waiting(broker: PureBroker, delays: list[int], priority: int = 50) -> list[str]:
    """The uids of new jobs that wait so long."""
    drafts = tuple(Draft(b"{}", priority, None, Options(delay=delay)) for delay in delays)
    return [job.uid for job in broker.do(Create("mail", drafts)).jobs]


def test_they_are_queued_and_counted_and_listed_in_their_places() -> None:
    broker = PureBroker()
    uids = waiting(broker, [1_000, 0, 500])
    order = broker.ledger.contents("mail").order
    assert (order.count(State.QUEUED), order.held, order.next_time) == (3, 2, broker.now + 500)
    assert broker.uids() == uids


@given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from([10, 50])), max_size=30), st.integers(0, 60))
def test_those_whose_time_has_come_are_handed_out_in_the_order_of_the_queue(
    jobs: list[tuple[int, int]], later: int
) -> None:
    broker = PureBroker()
    made = [(delay, priority, waiting(broker, [delay], priority)[0]) for delay, priority in jobs]
    broker.now += later
    ready = [(-priority, place, uid) for place, (delay, priority, uid) in enumerate(made) if delay <= later]
    assert [job.uid for job in broker.do(Claim("mail", "r", most=100))] == [uid for *_, uid in sorted(ready)]


def test_one_that_is_halted_too_waits_for_both() -> None:
    broker = PureBroker()
    (uid,) = waiting(broker, [100])
    broker.do(Control("mail", (uid,), Act.HALT))
    broker.now += 100
    assert broker.claim() is None
    broker.do(Control("mail", (uid,), Act.RESUME))
    assert broker.claim() is not None


def test_one_that_was_let_go_can_be_halted_and_deleted() -> None:
    broker = PureBroker()
    first, second = waiting(broker, [100, 100])
    broker.now += 100
    broker.ledger.contents("mail").order.let_go(broker.now)
    broker.do(Control("mail", (first,), Act.HALT))
    broker.do(Control("mail", (second,), Act.DELETE))
    assert broker.claim() is None
    assert broker.uids() == [first]


def test_very_many_that_are_due_at_once_are_let_go_in_turns() -> None:
    broker = PureBroker()
    waiting(broker, [100] * 2_500)
    broker.now += 100
    order = broker.ledger.contents("mail").order
    assert [order.let_go(broker.now) for _ in range(3)] == [False, False, True]
    assert (order.held, order.count(State.QUEUED)) == (0, 2_500)


def test_one_that_expires_while_it_waits_is_never_handed_out() -> None:
    broker = PureBroker()
    broker.do(Create("mail", (Draft(b"{}", 50, 50, Options(delay=100)),)))
    broker.now += 100
    assert broker.claim() is None
    assert broker.sweep().expired == 1
    assert broker.ledger.contents("mail").order.held == 0


def test_a_start_finds_the_same_as_was_there() -> None:
    broker = PureBroker()
    waiting(broker, [100, 0, 5])
    broker.now += 10
    assert broker.claim() is not None
    contents = broker.ledger.contents("mail")
    before = everything(broker.ledger)
    contents.order = Order(contents.jobs.values())
    assert everything(broker.ledger) == before
    assert broker.claim() is not None
    assert broker.claim() is None
