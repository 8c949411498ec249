"""Files that a broken disk, an attacker or a later version may have written; some with the right key."""

import hashlib
import struct
import zlib
from contextlib import suppress
from typing import Any

import msgspec
from hypothesis import strategies as st

from jobengine.errors import Damaged, Fatal
from jobengine.journal.codec import ChangeDecoder, body_of
from jobengine.journal.frame import HEAD_BYTES, FrameSealer, FrameType
from jobengine.journal.header import COPY_BYTES, Header, read_header
from jobengine.journal.journal import Journal
from jobengine.model.ledger import Ledger
from tests.fuzz.target import Target
from tests.journal.scenes import ANCHOR, PATH, SECRET, WALL_MS
from tests.support.disk import SimulatedDisk

HEADER = Header.make(SECRET, created=WALL_MS)
KEYS = HEADER.unlock(SECRET)
SUMMED_BYTES = 480  # of a copy of the header
ANCHOR_BYTES, ANCHOR_SUMMED_BYTES = 128, 92

# Where, modulo the length, and what then stands there.
changes = st.lists(st.tuples(st.integers(0, 1 << 20), st.binary(max_size=40)), min_size=1, max_size=4)


def changed(data: bytes, edits: list[tuple[int, bytes]]) -> bytes:
    """The same with other bytes here and there."""
    spoilt = bytearray(data)
    for at, new in edits:
        at %= len(spoilt) + 1
        spoilt[at : at + len(new)] = new
    return bytes(spoilt)


numbers = st.integers(0, 5) | st.integers(-(1 << 63), (1 << 64) - 1)
scalars = st.none() | st.booleans() | numbers | st.floats() | st.text(max_size=9) | st.binary(max_size=9)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=5), max_leaves=12)
queues = st.tuples(st.just(0), st.integers(0, 2), st.sampled_from(["mail", "x"]), numbers, numbers, numbers)
jobs = st.tuples(
    *(st.just(2), st.integers(0, 2), st.sampled_from("uvw"), numbers, numbers),
    *(st.binary(max_size=9) | values, numbers, numbers, numbers),
)
records = st.lists(queues | jobs | values | st.lists(values, max_size=12).map(tuple), max_size=6)
encoded = records.map(lambda some: body_of(b"".join(map(msgspec.msgpack.encode, some)), len(some)))
bodies = st.one_of(
    st.binary(max_size=60),
    encoded,
    st.tuples(encoded, changes).map(lambda case: changed(*case)),
)
kinds = st.sampled_from(FrameType)


def opens_or_is_refused(data: bytes, mark: bytes | None = None) -> None:
    """A start on this file ends in a broker or a refusal; never in anything else."""
    disk, ledger = SimulatedDisk(), Ledger()
    disk.put(PATH, data)
    if mark is not None:
        disk.put(ANCHOR, mark)
    with suppress(Fatal):
        Journal.open(PATH, SECRET, replay=ledger.replay, files=disk, wall_ms=lambda: WALL_MS)
        ledger.index()


def file_of(frames: list[tuple[FrameType, bytes]]) -> bytes:
    """A file with these frames, sealed with the right key."""
    sealer, place, data = FrameSealer(KEYS), HEADER.first_place, HEADER.pack() * 2
    for kind, body in frames:
        frame = sealer.seal(kind, body, time=WALL_MS, before=place)
        data, place = data + frame.data, frame.after
    return data


def read_head(edits: list[tuple[int, bytes]]) -> None:
    sealer = FrameSealer(KEYS)
    frame = sealer.seal(FrameType.CHANGES, b"body", time=WALL_MS, before=HEADER.first_place)
    data = changed(frame.data, edits)
    head = sealer.head(data, 0, offset=HEADER.first_place.end)
    assert (head is None) == (data[:HEAD_BYTES] != frame.data[:HEAD_BYTES])
    if head is not None:
        assert sealer.body(head, data, 0) in (b"body", None)


def decode_body(body: bytes) -> None:
    with suppress(Damaged):
        ChangeDecoder().decode(body)


def open_frames(frames: list[tuple[FrameType, bytes]]) -> None:
    opens_or_is_refused(file_of(frames))


def open_spoilt(case: tuple[list[tuple[FrameType, bytes]], list[tuple[int, bytes]]]) -> None:
    frames, edits = case
    opens_or_is_refused(changed(file_of(frames), edits))


def read_headers(case: tuple[list[tuple[int, bytes]], bool]) -> None:
    edits, is_summed = case
    copy = changed(HEADER.pack(), edits)[:COPY_BYTES]
    if is_summed:
        copy = copy[:SUMMED_BYTES] + hashlib.sha256(copy[:SUMMED_BYTES]).digest() + copy[SUMMED_BYTES + 32 :]
    with suppress(Fatal):
        header, _ = read_header(copy * 2)
        if header.kdf == HEADER.kdf:  # another one would take its time, as it should
            header.unlock(SECRET)


def open_with_anchor(case: tuple[bytes, bool]) -> None:
    data, is_summed = case
    if is_summed:
        summed = (b"\xa7JOBQ\r\n\x1a" + data)[:ANCHOR_SUMMED_BYTES].ljust(ANCHOR_SUMMED_BYTES, b"\0")
        checksum = struct.pack("<I", zlib.crc32(summed))
        data = (summed + checksum + data).ljust(ANCHOR_BYTES, b"\0")[:ANCHOR_BYTES]
    opens_or_is_refused(file_of([(FrameType.SEAL, b"")]), data)


frames: st.SearchStrategy[Any] = st.lists(st.tuples(kinds, bodies), max_size=4)
header_edits = st.lists(st.tuples(st.integers(0, 520), st.binary(max_size=20)), min_size=1, max_size=3)
marks = st.one_of(st.binary(max_size=140), st.binary(max_size=100).map(lambda rest: HEADER.file_id + rest))

TARGETS = (
    Target("frame-heads", changes, read_head),
    Target("bodies", bodies, decode_body),
    Target("frames", frames, open_frames),
    Target("files", st.tuples(frames, changes), open_spoilt),
    Target("headers", st.tuples(header_edits, st.booleans()), read_headers),
    Target("anchors", st.tuples(marks, st.booleans()), open_with_anchor),
)
