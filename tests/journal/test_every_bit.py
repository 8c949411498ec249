"""A file cut anywhere, or with any bit flipped, is never taken for a good one in silence."""

import json
from itertools import combinations, pairwise

import pytest

from jobengine.errors import Damaged
from jobengine.journal.frame import HEAD_BYTES, FrameSealer, FrameType
from jobengine.journal.header import FRAMES_START, read_header
from jobengine.journal.journal import Journal
from jobengine.journal.keys import Secret
from jobengine.journal.scan import Scan
from tests.journal.make_golden import GOLDEN, SECRETS, described
from tests.journal.scenes import ANCHOR, PATH, Book
from tests.support.disk import SimulatedDisk

NAME = "format1-online"
SECRET = Secret.parse(SECRETS[NAME])
FILE = (GOLDEN / f"{NAME}.queuedb").read_bytes()
MARK = (GOLDEN / f"{NAME}.queuedb.anchor").read_bytes()
WHOLE = json.loads((GOLDEN / f"{NAME}.json").read_text())
REFUSED = "refused"
OTHER = "format1-key"
SHARES = 4  # so that several processes can have one each


def opened(data: bytes, *, anchored: bool) -> tuple[object, tuple[str, ...]]:
    """What a file is taken for, and what is said of it. Big values are read, too."""
    disk, book = SimulatedDisk(), Book()
    disk.put(PATH, data)
    if anchored:
        disk.put(ANCHOR, MARK)
    try:
        journal = Journal.open(PATH, SECRET, replay=book.apply, files=disk, wall_ms=lambda: 0)
        return described(book, journal), journal.report.warnings
    except Damaged:
        return REFUSED, ()


def flipped(bit: int) -> bytes:
    data = bytearray(FILE)
    data[bit // 8] ^= 1 << bit % 8
    return bytes(data)


def frames() -> list[bytes]:
    """All frames of the file, in order."""
    starts = [offset for offset, _ in starts_and_types()]
    return [FILE[start:stop] for start, stop in pairwise([*starts, len(FILE)])]


def starts_and_types() -> list[tuple[int, int]]:
    """Where each frame starts, and what it holds."""
    disk = SimulatedDisk()
    disk.put(PATH, FILE)
    header, _ = read_header(FILE[:FRAMES_START])
    scan = Scan(disk, disk.open(PATH), FrameSealer(header.unlock(SECRET)), header.first_place)
    return [(head.offset, head.type) for head, _ in scan.frames()]


def test_the_file_holds_every_kind_of_frame() -> None:
    assert {kind for _, kind in starts_and_types()} == set(FrameType)


def test_the_file_itself_is_good() -> None:
    assert opened(FILE, anchored=True) == (WHOLE, ())


def test_a_flipped_bit_in_any_byte_of_a_frame_is_refused() -> None:
    for byte in range(FRAMES_START, len(FILE)):
        assert opened(flipped(byte * 8 + byte % 8), anchored=True) == (REFUSED, ()), byte


@pytest.mark.parametrize("share", range(SHARES))
def test_every_flipped_bit_of_a_frame_is_found_without_an_anchor(share: int) -> None:
    for bit in range(FRAMES_START * 8 + share, len(FILE) * 8, SHARES):
        assert opened(flipped(bit), anchored=False) == (REFUSED, ()), bit


@pytest.mark.parametrize("bit", range(0, FRAMES_START * 8, 1009))
def test_a_flipped_bit_of_the_header_is_mended(bit: int) -> None:
    state, warnings = opened(flipped(bit), anchored=True)
    assert state == WHOLE
    assert "header" in warnings[0]


def test_every_truncation_is_refused() -> None:
    for length in range(len(FILE)):
        assert opened(FILE[:length], anchored=True) == (REFUSED, ()), length


def test_every_truncation_without_an_anchor_leaves_a_state_that_once_was() -> None:
    states: list[object] = []
    for length in range(len(FILE)):
        state, warnings = opened(FILE[:length], anchored=False)
        if state != REFUSED:
            assert warnings, length
            if state not in states:
                states.append(state)
    assert states[-1] == WHOLE  # without its seal
    assert len(states) == 3  # the snapshot, and one more commit each: never half of one


@pytest.mark.parametrize("anchored", [True, False])
def test_swapped_frames_are_refused(*, anchored: bool) -> None:
    for one, other in combinations(range(len(frames())), 2):
        swapped = frames()
        swapped[one], swapped[other] = swapped[other], swapped[one]
        assert opened(FILE[:FRAMES_START] + b"".join(swapped), anchored=anchored) == (REFUSED, ()), (
            one,
            other,
        )


@pytest.mark.parametrize("anchored", [True, False])
def test_a_repeated_frame_is_refused_wherever_it_stands(*, anchored: bool) -> None:
    for frame in frames():
        for place in range(len(frames()) + 1):
            repeated = frames()
            repeated.insert(place, frame)
            data = FILE[:FRAMES_START] + b"".join(repeated)
            assert opened(data, anchored=anchored) == (REFUSED, ()), place


@pytest.mark.parametrize("anchored", [True, False])
def test_a_frame_of_another_file_is_refused_wherever_it_stands(*, anchored: bool) -> None:
    other = (GOLDEN / f"{OTHER}.queuedb").read_bytes()
    for start, _ in starts_and_types():
        if start < len(other):
            data = FILE[:start] + other[start : start + HEAD_BYTES] + FILE[start + HEAD_BYTES :]
            assert opened(data, anchored=anchored) == (REFUSED, ()), start
            data = FILE[:start] + other[start:]
            assert opened(data, anchored=anchored) == (REFUSED, ()), start
