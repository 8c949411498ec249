"""All queues and jobs in memory: what is applied can be undone, and replayed."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from msgspec.structs import replace

from jobengine.errors import JobEngineError, NotFound
from jobengine.journal.codec import ChangeDecoder, ChangeEncoder, body_of
from jobengine.model.changes import Change, DropJob, PutJob, move
from jobengine.model.commands import Command, Configure
from jobengine.model.contents import Totals
from jobengine.model.job import Blob, Job, order_of, weight
from jobengine.model.keys import KEY_OVERHEAD_BYTES
from jobengine.model.ledger import Ledger, Undo
from jobengine.model.rules import decide
from jobengine.model.states import State
from tests.model.stories import Step, stories, told
from tests.support.ledgers import everything
from tests.support.pure_broker import PureBroker


class RecordingBroker(PureBroker):
    """Keeps what was applied, and what undoes it."""

    def __init__(self, *args: object) -> None:
        self.applied: list[tuple[Change, ...]] = []
        self.undos: list[Undo] = []
        super().__init__(*args)

    def do(self, command: Command) -> object:
        decision = decide(self.ledger, command, self.moment())
        self.undos.append(self.ledger.apply(decision.changes))
        self.applied.append(decision.changes)
        return decision.answer


def recorded(story: Iterable[Step]) -> RecordingBroker:
    """A broker that remembers how it came to be what it is."""
    broker = RecordingBroker(*told([]).ledger.queues())
    for step in story:
        step(broker)
    return broker


def replayed(changes: Iterable[Change]) -> Ledger:
    """A ledger made of these changes."""
    ledger = Ledger()
    ledger.replay(changes)
    ledger.index()
    return ledger


@given(stories, stories)
def test_what_is_undone_leaves_no_trace_in_any_index(story: list[Step], undone: list[Step]) -> None:
    broker = recorded(story)
    before, kept = everything(broker.ledger), len(broker.undos)
    for step in undone:
        step(broker)
    while len(broker.undos) > kept:
        broker.ledger.undo(broker.undos.pop())
    assert everything(broker.ledger) == before


@given(stories)
def test_a_replay_of_every_change_is_the_ledger(story: list[Step]) -> None:
    broker = recorded(story)
    ledger = replayed(change for changes in broker.applied for change in changes)
    assert everything(ledger) == everything(broker.ledger)
    arrivals = [job.arrival for queue in ledger.queues() for job in ledger.contents(queue.name).jobs.values()]
    assert ledger.next_arrival > max(arrivals, default=0)


@given(stories)
def test_changes_do_together_what_they_do_one_by_one(story: list[Step]) -> None:
    broker = recorded(story)
    ledger = replayed(())
    for changes in broker.applied:
        for change in changes:
            ledger.apply((change,))
    assert everything(ledger) == everything(broker.ledger)


@given(stories)
def test_a_replay_of_a_snapshot_is_the_ledger(story: list[Step]) -> None:
    ledger = told(story).ledger
    assert everything(replayed(ledger.snapshot())) == everything(ledger)


@given(stories)
def test_nothing_is_lost_on_the_way_through_the_codec(story: list[Step]) -> None:
    broker = recorded(story)
    encoder, decoder = ChangeEncoder(), ChangeDecoder()
    for changes in broker.applied:
        body = body_of(encoder.encode(changes), len(changes))
        assert tuple(decoder.decode(body)) == changes


@given(stories)
def test_applying_all_of_it_once_more_changes_nothing(story: list[Step]) -> None:
    broker = recorded(story)
    last = next((changes for changes in reversed(broker.applied) if changes), ())
    before = everything(broker.ledger)
    broker.ledger.apply(last)
    assert everything(broker.ledger) == before


@given(stories)
def test_the_weight_of_all_jobs_is_the_sum_of_their_weights(story: list[Step]) -> None:
    ledger = told(story).ledger
    jobs = [job for queue in ledger.queues() for job in ledger.contents(queue.name).jobs.values()]
    logs = [log for queue in ledger.queues() for log in ledger.contents(queue.name).logs.values()]
    keys = len(ledger.keys) * KEY_OVERHEAD_BYTES
    assert ledger.totals.bytes == sum(map(weight, jobs)) + keys + sum(log.memory for log in logs)


def test_jobs_that_are_counted_at_once_are_counted_as_one_by_one() -> None:
    job = Job("uid", "queue", State.QUEUED, order_of(priority=1, arrival=7), b"content", 1, 1, 1)
    jobs = [job, replace(job, content=Blob(20_000, b"", ()), order=order_of(priority=9, arrival=5))]
    one_by_one, at_once = Totals(), Totals()
    for each in jobs:
        one_by_one.add(each)
    at_once.add_all(jobs)
    counted = [
        (totals.jobs, totals.content_bytes, totals.blob_bytes, totals.next_arrival)
        for totals in (one_by_one, at_once)
    ]
    assert counted == [(2, 7, 20_000, 8)] * 2


def test_a_claim_that_is_undone_is_handed_out_again() -> None:
    broker = RecordingBroker()
    job = broker.create()
    broker.claim()
    broker.ledger.undo(broker.undos.pop())
    claimed = broker.claim()
    assert claimed is not None
    assert claimed.uid == job.uid


def test_a_dropped_queue_that_is_undone_has_its_jobs_again() -> None:
    broker = RecordingBroker()
    job = broker.job_in(State.COMPLETE)
    broker.do(Configure(()))
    with pytest.raises(NotFound):
        broker.look(job)
    broker.ledger.undo(broker.undos.pop())
    assert broker.look(job) == job


def test_a_refused_command_changes_nothing() -> None:
    broker = recorded([])
    before = everything(broker.ledger)
    with pytest.raises(JobEngineError):
        broker.create(queue="nowhere")
    assert everything(broker.ledger) == before


def test_jobs_that_came_after_a_replay_stand_behind_those_before() -> None:
    broker = PureBroker()
    first = broker.create()
    broker.ledger = replayed(broker.ledger.snapshot())
    second = broker.create()
    assert broker.uids() == [first.uid, second.uid]


def test_several_changes_of_one_job_are_undone_the_newest_first() -> None:
    broker = PureBroker()
    kept, other = broker.create(), broker.create()
    before = everything(broker.ledger)
    claimed = replace(kept, state=State.INPROGRESS, claimer="reader")
    changes: list[Change] = [
        move(claimed),
        PutJob(replace(claimed, content=b"new")),
        DropJob("mail", kept.uid),
    ]
    broker.ledger.undo(broker.ledger.apply([*changes, DropJob("mail", other.uid), PutJob(other)]))
    assert everything(broker.ledger) == before
