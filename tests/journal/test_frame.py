"""One frame: what is sealed can be opened, and nothing else."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobengine.journal.frame import ALIGNMENT, HEAD_BYTES, FrameSealer, FrameType, Place
from jobengine.journal.keys import Keys

KEYS = Keys.derive(bytes(32), bytes(16))
SEALER = FrameSealer(KEYS)
START = Place(end=8192, sequence=7, time=1000, tag=b"t" * 16)


@given(
    body=st.binary(max_size=1000),
    kind=st.sampled_from(FrameType),
    time=st.integers(min_value=0, max_value=2**63),
)
def test_a_frame_opens_to_what_was_sealed(body: bytes, kind: FrameType, time: int) -> None:
    frame = SEALER.seal(kind, body, time=time, before=START)
    head = SEALER.head(frame.data, 0, offset=8192)
    assert head is not None
    assert (head.type, head.sequence, head.length, head.tag_before) == (kind, 8, len(body), START.tag)
    assert head.time == max(time, 1000)
    assert head.end == frame.after.end == 8192 + len(frame.data)
    assert head.tag == frame.after.tag
    assert SEALER.body(head, frame.data, 0) == body


@given(length=st.integers(min_value=0, max_value=1000))
def test_a_frame_is_aligned(length: int) -> None:
    frame = SEALER.seal(FrameType.BLOB, bytes(length), time=0, before=START)
    assert len(frame.data) % ALIGNMENT == 0
    assert HEAD_BYTES + length <= len(frame.data) < HEAD_BYTES + length + ALIGNMENT


def test_any_flipped_bit_is_found() -> None:
    frame = SEALER.seal(FrameType.CHANGES, b"a body that needs some padding", time=0, before=START)
    for bit in range(len(frame.data) * 8):
        data = bytearray(frame.data)
        data[bit // 8] ^= 1 << bit % 8
        head = SEALER.head(bytes(data), 0, offset=8192)
        assert head is None or SEALER.body(head, bytes(data), 0) is None, bit


def test_a_head_counts_only_in_its_own_place() -> None:
    frame = SEALER.seal(FrameType.CHANGES, b"body", time=0, before=START)
    assert SEALER.head(frame.data, 0, offset=8192 + 128) is None


def test_a_head_that_is_cut_short_does_not_count() -> None:
    frame = SEALER.seal(FrameType.CHANGES, b"body", time=0, before=START)
    assert SEALER.head(frame.data[: HEAD_BYTES - 1], 0, offset=8192) is None


def test_another_file_has_other_keys() -> None:
    frame = SEALER.seal(FrameType.CHANGES, b"body", time=0, before=START)
    assert FrameSealer(Keys.derive(bytes(32), b"o" * 16)).head(frame.data, 0, offset=8192) is None


def test_the_same_body_is_never_sealed_to_the_same_bytes() -> None:
    frames = {SEALER.seal(FrameType.CHANGES, b"body", time=0, before=START).data for _ in range(100)}
    assert len(frames) == 100


@pytest.mark.parametrize("readable", [b"a name that someone looks for"])
def test_nothing_of_the_body_can_be_read(readable: bytes) -> None:
    assert readable not in SEALER.seal(FrameType.CHANGES, readable + os.urandom(9), time=0, before=START).data
