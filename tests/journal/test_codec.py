"""Change ↔ bytes."""

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobengine.errors import Damaged
from jobengine.journal.codec import ChangeDecoder, ChangeEncoder, body_of
from jobengine.model.blob import Blob
from jobengine.model.changes import (
    AppendLog,
    Change,
    DropJob,
    DropLog,
    DropQueue,
    MoveJob,
    PutJob,
    PutQueue,
    move,
)
from jobengine.model.job import Job
from jobengine.model.log import Chunk, Stream
from jobengine.model.queue import Queue
from jobengine.model.states import State
from tests.journal.scenes import MAIL, job

QUEUES = ("mail", "render", "ключ")
names = st.sampled_from(QUEUES)
texts = st.text(max_size=40)
numbers = st.integers(min_value=0, max_value=2**63 - 1)
states = st.sampled_from((State.QUEUED, State.INPROGRESS, State.COMPLETE, State.FAILED))
claimers = st.none() | texts
blobs = st.builds(Blob, numbers, st.binary(max_size=32), st.lists(numbers, max_size=3).map(tuple))
contents = st.binary(max_size=300) | blobs
jobs = st.builds(
    Job, texts, names, states, numbers, contents, numbers, numbers, numbers, numbers, numbers, claimers
)
queues = st.builds(Queue, names, numbers, numbers, numbers)
changes = st.one_of(
    st.builds(PutQueue, queues),
    st.builds(DropQueue, names),
    st.builds(PutJob, jobs),
    st.builds(MoveJob, names, texts, states, numbers, numbers, numbers, numbers, numbers, claimers),
    st.builds(DropJob, names, texts),
    st.builds(AppendLog, names, texts, numbers, st.builds(Chunk, st.sampled_from(Stream), numbers, contents)),
    st.builds(DropLog, names, texts),
)
EVERY_QUEUE: list[Change] = [PutQueue(Queue(name, 1, 2)) for name in QUEUES]


def body(encoder: ChangeEncoder, some: list[Change]) -> bytes:
    return body_of(b"".join([encoder.encode(some)]), len(some))


@given(st.lists(st.lists(changes, max_size=5), max_size=5))
def test_changes_come_back_as_they_were(batches: list[list[Change]]) -> None:
    encoder, decoder = ChangeEncoder(), ChangeDecoder()
    for batch in [EVERY_QUEUE, *batches]:
        assert decoder.decode(body(encoder, batch)) == batch


@given(st.lists(changes, max_size=5), st.lists(changes, max_size=5))
def test_an_encoder_goes_on_where_a_decoder_ended(before: list[Change], after: list[Change]) -> None:
    encoder, decoder = ChangeEncoder(), ChangeDecoder()
    decoder.decode(body(encoder, EVERY_QUEUE))
    decoder.decode(body(encoder, before))
    assert decoder.decode(body(decoder.encoder(), after)) == after


def test_a_number_that_never_reached_the_disk_is_not_missed() -> None:
    encoder, decoder = ChangeEncoder(), ChangeDecoder()
    encoder.encode([PutQueue(Queue("lost", 1, 2))])
    decoder.decode(body(encoder, [PutQueue(MAIL)]))
    assert decoder.decode(body(encoder, [PutJob(job(1))])) == [PutJob(job(1))]
    fresh = decoder.encoder()
    assert decoder.decode(body(fresh, [PutQueue(Queue("more", 1, 2))])) == [PutQueue(Queue("more", 1, 2))]
    assert decoder.decode(body(fresh, [DropQueue("mail")])) == [DropQueue("mail")]


def test_a_dropped_queue_can_come_back() -> None:
    encoder, decoder = ChangeEncoder(), ChangeDecoder()
    story: list[Change] = [PutQueue(MAIL), DropQueue("mail"), PutQueue(MAIL), PutJob(job(1))]
    assert decoder.decode(body(encoder, story)) == story


def test_a_move_is_a_small_record() -> None:
    encoder = ChangeEncoder()
    encoder.encode([PutQueue(MAIL)])
    assert len(encoder.encode([move(job(1, content=b"x" * 10_000))])) <= 90


def test_the_name_of_a_queue_stands_once() -> None:
    encoder = ChangeEncoder()
    assert b"mail" in encoder.encode([PutQueue(MAIL)])
    assert b"mail" not in encoder.encode([PutQueue(Queue("x", 1, 1)), PutJob(job(1)), DropJob("mail", "u")])


def test_decoded_names_and_claimers_are_shared() -> None:
    encoder, decoder = ChangeEncoder(), ChangeDecoder()
    claimed = [msgspec.structs.replace(job(number), claimer="a service") for number in range(2)]
    _, *puts = decoder.decode(body(encoder, [PutQueue(MAIL), *map(PutJob, claimed)]))
    first, second = (put.job for put in puts if isinstance(put, PutJob))
    assert first.claimer is second.claimer
    assert first.queue is second.queue
    assert first.state is State.QUEUED


def test_fields_that_a_later_version_appends_are_passed_over() -> None:
    decoder = ChangeDecoder()
    record = msgspec.msgpack.encode([0, 0, "mail", 60_000, 10_000, 1, None, "something new"])
    assert decoder.decode(body_of(b"".join([record]), 1)) == [PutQueue(MAIL)]


def test_fields_that_an_earlier_version_did_not_have_get_their_default() -> None:
    record = msgspec.msgpack.encode([0, 0, "mail", 60_000, 10_000])
    assert ChangeDecoder().decode(body_of(b"".join([record]), 1)) == [PutQueue(MAIL)]


GOOD_QUEUE = msgspec.msgpack.encode([0, 0, "mail", 1, 2, 1])


@pytest.mark.parametrize(
    "malformed",
    [
        b"",
        b"\x02\x90",
        b"\x01",
        b"\x01\xc1",
        b"\x01\x90\x90",
        body_of(b"".join([GOOD_QUEUE]), 2),
        body_of(b"".join([GOOD_QUEUE, GOOD_QUEUE]), 1),
        body_of(b"".join([msgspec.msgpack.encode([9, 0, "mail"])]), 1),
        body_of(b"".join([msgspec.msgpack.encode([1, 0])]), 1),
        body_of(b"".join([GOOD_QUEUE, msgspec.msgpack.encode([0, 0, "other", 1, 2, 1])]), 2),
        body_of(b"".join([GOOD_QUEUE, msgspec.msgpack.encode([2, 0, "uid", -1, 1, b"", 1, 1, 1])]), 2),
        body_of(b"".join([GOOD_QUEUE, msgspec.msgpack.encode([2, 0, "uid", 4, 1, b"", 1, 1, 1])]), 2),
        body_of(b"".join([GOOD_QUEUE, msgspec.msgpack.encode([2, 0, 17, 0, 1, b"", 1, 1, 1])]), 2),
        body_of(b"".join([GOOD_QUEUE, msgspec.msgpack.encode([2, 0, "uid", 0, 1, "text", 1, 1, 1])]), 2),
        body_of(b"".join([GOOD_QUEUE, msgspec.msgpack.encode([4, 3, "uid"])]), 2),
    ],
)
def test_what_makes_no_sense_is_damage_and_no_traceback(malformed: bytes) -> None:
    with pytest.raises(Damaged):
        ChangeDecoder().decode(malformed)


@given(st.binary(max_size=200))
def test_no_bytes_at_all_make_a_decoder_fail_otherwise(data: bytes) -> None:
    with suppress(Damaged):
        ChangeDecoder().decode(b"\x01" + data)
