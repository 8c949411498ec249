"""What jobs write: pieces come twice, are joined, are cut, and the oldest logs go."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from jobengine.errors import BadState, LeaseLost, LogFull, NotFound
from jobengine.model.blob import BLOB_THRESHOLD_BYTES, Blob
from jobengine.model.commands import (
    Act,
    Complete,
    Control,
    Create,
    Draft,
    Fail,
    Log,
    Options,
    Release,
    Settle,
)
from jobengine.model.job import Job
from jobengine.model.log import Chunk, JobLog, Stream
from jobengine.model.states import State
from tests.support.pure_broker import MAIL, MINUTE_MS, RETRYING, PureBroker

OUT, ERR = Stream.OUT, Stream.ERR


class Writing(PureBroker):
    """A broker with one job in progress, which writes."""

    def begin(self) -> Job:
        self.create(valid_for=1000 * MINUTE_MS)
        job = self.claim()
        assert job is not None
        return job

    def write(self, job: Job, data: bytes | Blob, *, stream: Stream = OUT, offset: int | None = None) -> None:
        known = self.ledger.log("mail", job.uid)
        at = (0 if known is None else known.end(stream)) if offset is None else offset
        self.do(Log("mail", job.uid, job.lease, stream, at, data))

    def read(self, job: Job, stream: Stream = OUT) -> list[tuple[int, bytes | Blob]]:
        log = self.ledger.log("mail", job.uid)
        return (
            [] if log is None else [(each.offset, each.data) for each in log.chunks if each.stream is stream]
        )

    def settle(self, *settlements: Complete | Fail | Release) -> Job:
        (job,) = self.do(Settle("mail", settlements))
        assert isinstance(job, Job), job
        return job


def pieces_of(text: bytes, cuts: list[int]) -> list[Chunk]:
    """A stream, cut at these places."""
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [Chunk(OUT, begin, text[begin:end]) for begin, end in itertools.pairwise(places)]


@given(st.binary(min_size=1, max_size=60), st.lists(st.lists(st.integers(0, 60), max_size=6), min_size=1))
def test_pieces_of_one_stream_in_any_number_and_again_are_that_stream(
    text: bytes, tellings: list[list[int]]
) -> None:
    log = JobLog(1)
    for cuts in tellings:
        for piece in pieces_of(text, cuts):
            log = log.appended(piece)
    assert log.chunks == (Chunk(OUT, 0, text),)
    assert log.bytes == len(text)


@given(
    st.lists(
        st.tuples(st.sampled_from(Stream), st.integers(0, 9), st.binary(min_size=1, max_size=9)), max_size=20
    )
)
def test_each_piece_may_come_twice_and_a_snapshot_is_the_log(told: list[tuple[Stream, int, bytes]]) -> None:
    log = JobLog(1)
    for stream, gap, data in told:
        piece = Chunk(stream, log.end(stream) + gap, data)
        log = log.appended(piece)
        assert log.appended(piece) is log
    again = JobLog(1)
    for chunk in log.chunks:
        again = again.appended(chunk)
    assert again == log
    assert log.bytes == sum(len(data) for _, _, data in told)


def test_small_pieces_of_a_stream_are_joined_until_they_would_be_big() -> None:
    broker = Writing()
    job = broker.begin()
    broker.write(job, b"a" * (BLOB_THRESHOLD_BYTES - 1))
    broker.write(job, b"b")
    broker.write(job, b"c")
    assert [(offset, len(data)) for offset, data in broker.read(job) if isinstance(data, bytes)] == [
        (0, BLOB_THRESHOLD_BYTES),
        (BLOB_THRESHOLD_BYTES, 1),
    ]


def test_of_what_is_known_in_part_the_rest_is_taken() -> None:
    broker = Writing()
    job = broker.begin()
    broker.write(job, b"hello")
    broker.write(job, b"lo world", offset=3)
    broker.write(job, b"ell", offset=1)
    assert broker.read(job) == [(0, b"hello world")]


def test_a_big_piece_that_is_known_in_part_is_refused_and_one_that_is_known_is_not() -> None:
    broker = Writing()
    job = broker.begin()
    broker.write(job, b"hello")
    big = Blob(20_000, b"digest", (1,))
    assert isinstance(broker.refusal(Log("mail", job.uid, job.lease, OUT, 3, big)), BadState)
    broker.write(job, big)
    broker.write(job, big, offset=5)
    assert broker.read(job) == [(0, b"hello"), (5, big)]


def test_what_was_cut_out_is_a_gap() -> None:
    broker = Writing()
    job = broker.begin()
    broker.write(job, b"begin")
    broker.write(job, b"end", offset=1000)
    assert broker.read(job) == [(0, b"begin"), (1000, b"end")]


def test_both_streams_are_there_in_the_order_in_which_they_came() -> None:
    broker = Writing()
    job = broker.begin()
    for stream, data in ((OUT, b"1"), (ERR, b"2"), (OUT, b"3")):
        broker.write(job, data, stream=stream)
    log = broker.ledger.log("mail", job.uid)
    assert log is not None
    assert [(chunk.stream, chunk.offset, chunk.data) for chunk in log.chunks] == [
        (OUT, 0, b"1"),
        (ERR, 0, b"2"),
        (OUT, 1, b"3"),
    ]


def test_only_who_holds_the_job_may_write() -> None:
    broker = Writing()
    job = broker.begin()
    assert isinstance(broker.refusal(Log("mail", job.uid, job.lease + 1, OUT, 0, b"x")), LeaseLost)
    assert isinstance(broker.refusal(Log("mail", job.uid, 0, OUT, 0, b"x")), LeaseLost)
    broker.settle(Complete(job.uid, job.lease))
    assert isinstance(broker.refusal(Log("mail", job.uid, job.lease, OUT, 0, b"x")), LeaseLost)
    assert isinstance(broker.refusal(Log("mail", "nobody", 1, OUT, 0, b"x")), NotFound)


def test_a_holder_whose_lease_is_over_writes_nothing_although_nobody_swept() -> None:
    broker = Writing()
    job = broker.begin()
    broker.now = job.lease_ends
    assert isinstance(broker.refusal(Log("mail", job.uid, job.lease, OUT, 0, b"x")), LeaseLost)


def test_the_first_piece_of_an_attempt_takes_the_place_of_what_an_earlier_one_wrote() -> None:
    broker = Writing(RETRYING)
    first = broker.begin()
    broker.write(first, b"first")
    broker.settle(Fail(first.uid, first.lease, delay=0))
    second = broker.claim()
    assert second is not None
    assert broker.read(second) == [(0, b"first")]
    broker.write(second, b"second", offset=0)
    assert broker.read(second) == [(0, b"second")]


def test_a_log_has_room_for_a_quarter_more_than_its_queue_says() -> None:
    broker = Writing(replace(MAIL, log_bytes=100))
    job = broker.begin()
    broker.write(job, b"x" * 125)
    assert isinstance(broker.refusal(Log("mail", job.uid, job.lease, ERR, 0, b"y")), LogFull)


def test_only_the_most_recent_logs_of_jobs_that_nobody_runs_are_kept() -> None:
    broker = Writing(replace(MAIL, keep_logs=2))
    done = []
    for _ in range(4):
        job = broker.begin()
        broker.write(job, b"x")
        broker.now += 1
        done.append(broker.settle(Complete(job.uid, job.lease)))
    running = broker.begin()
    broker.write(running, b"x")
    assert [bool(broker.read(job)) for job in done] == [False, False, True, True]
    assert broker.read(running)


def test_logs_of_many_that_ran_at_once_are_bounded_when_they_end() -> None:
    broker = Writing(replace(MAIL, keep_logs=2))
    running = [broker.begin() for _ in range(5)]
    for job in running:
        broker.write(job, b"x")
    for job in running:
        broker.now += 1
        broker.settle(Complete(job.uid, job.lease))
    assert [bool(broker.read(job)) for job in running] == [False, False, False, True, True]


def test_logs_of_many_that_end_at_once_are_bounded_whatever_ended_them() -> None:
    broker = Writing(replace(MAIL, keep_logs=2))

    def five_that_wrote() -> list[Job]:
        running = [broker.begin() for _ in range(5)]
        for job in running:
            broker.write(job, b"x")
        return running

    def kept() -> int:
        return len(broker.ledger.contents("mail").logs)

    broker.do(Settle("mail", tuple(Complete(job.uid, job.lease) for job in five_that_wrote())))
    assert kept() == 2
    broker.now = five_that_wrote()[-1].lease_ends
    broker.sweep()
    assert kept() == 2
    for job in five_that_wrote():
        broker.update(job, state=State.COMPLETE)
    assert kept() == 2


def test_a_job_that_becomes_a_dead_letter_pushes_no_log_out() -> None:
    broker = Writing(replace(MAIL, keep_logs=2, dead_letter="grave"), replace(MAIL, name="grave"))
    for settlement in (Complete, Complete, Fail):
        job = broker.begin()
        broker.write(job, b"x")
        broker.now += 1
        broker.do(Settle("mail", (settlement(job.uid, job.lease),)))
    assert len(broker.ledger.contents("mail").logs) == 2


def test_a_job_that_is_made_anew_under_the_uid_of_one_that_is_gone_has_its_own_log() -> None:
    broker = Writing()
    again = Create("mail", (Draft(b"{}", 50, None, Options(uid="0a0b0c0d-1111-4111-8111-0123456789ab")),))
    for text in (b"first", b"second"):
        broker.do(again)
        job = broker.claim()
        assert job is not None
        assert broker.read(job) == []
        broker.write(job, text, offset=0)
        assert broker.read(job) == [(0, text)]
        broker.now = broker.settle(Complete(job.uid, job.lease)).updated + MAIL.keep


def test_a_job_that_is_replaced_while_it_waits_has_written_nothing_yet() -> None:
    broker = Writing()
    keyed = Create("mail", (Draft(b"{}", 50, None, Options(unique_key="k", replaces=True)),))
    broker.do(keyed)
    job = broker.claim()
    assert job is not None
    broker.write(job, b"of what is not wanted any more")
    broker.settle(Release(job.uid, job.lease))
    broker.do(keyed)
    assert broker.read(job) == []


def test_a_log_goes_with_its_job() -> None:
    broker = Writing()
    before = broker.ledger.totals.bytes
    job = broker.begin()
    broker.write(job, b"x" * 1000)
    broker.now += 1
    done = broker.settle(Complete(job.uid, job.lease))
    broker.now = done.updated + MAIL.keep
    broker.sweep()
    assert broker.ledger.totals.bytes == before
    with pytest.raises(NotFound):
        broker.look(job)


def test_a_log_counts_as_memory_and_a_big_piece_of_it_does_not() -> None:
    broker = Writing()
    job = broker.begin()
    before = broker.ledger.totals.bytes
    broker.write(job, b"x" * 1000)
    small = broker.ledger.totals.bytes - before
    broker.write(job, Blob(100_000, b"digest", (1,)))
    assert 1000 <= small < 2000
    assert broker.ledger.totals.bytes - before - small < 1000
    assert broker.ledger.totals.blob_bytes == 100_000


def test_a_failure_has_its_result_and_a_release_what_it_saved() -> None:
    broker = Writing(RETRYING)
    job = broker.begin()
    assert broker.settle(Release(job.uid, job.lease, saved=b'{"done":3}')).more.saved == b'{"done":3}'
    again = broker.claim()
    assert again is not None
    assert (again.more.saved, again.attempt) == (b'{"done":3}', 1)
    assert broker.settle(Fail(again.uid, again.lease, delay=0)).more.saved == b'{"done":3}'
    again = broker.claim()
    assert again is not None
    failed = broker.settle(Fail(again.uid, again.lease, retry=False, result=b'{"exit_code":1}'))
    assert (failed.more.result, failed.more.saved) == (b'{"exit_code":1}', None)


def test_a_job_that_was_stopped_begins_anew_if_it_is_tried_again() -> None:
    broker = Writing(RETRYING)
    job = broker.begin()
    broker.do(Control("mail", (job.uid,), Act.STOP))
    broker.settle(Release(job.uid, job.lease, saved=b'{"done":3}'))
    (stopped,) = broker.do(Control("mail", (job.uid,), Act.STOP))
    assert (stopped.state, stopped.more.saved) == (State.FAILED, None)


def test_whatever_ends_a_job_leaves_nothing_that_is_asked_of_it() -> None:
    broker = Writing(RETRYING)
    waiting = broker.create(valid_for=1000 * MINUTE_MS)
    broker.do(Control("mail", (waiting.uid,), Act.HALT))
    (stopped,) = broker.do(Control("mail", (waiting.uid,), Act.STOP))
    held = broker.begin()
    broker.do(Control("mail", (held.uid,), Act.HALT))
    broker.do(Control("mail", (held.uid,), Act.STOP))
    given_back = broker.settle(Release(held.uid, held.lease))
    for ended in (stopped, given_back):
        assert (ended.state, ended.more.halted, ended.more.is_to_stop) == (State.FAILED, False, False)


def test_each_clone_counts_by_its_own_size() -> None:
    broker = Writing()
    sizes = [200, *[20_000] * 3, 200]
    uids = tuple(broker.create(content=b'"%b"' % (size * b"x")).uid for size in sizes)
    broker.ledger.bytes_limit = broker.ledger.totals.bytes + 45_000
    outcomes = broker.do(Control("mail", uids, Act.CLONE))
    assert [isinstance(outcome, Job) for outcome in outcomes] == [True, True, True, False, True]
