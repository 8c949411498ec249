"""A file cut anywhere, or with any bit flipped, is never taken for a good one in silence."""

import json

import pytest

from jobengine.errors import Damaged
from jobengine.journal.header import FRAMES_START
from jobengine.journal.journal import Journal
from jobengine.journal.keys import Secret
from tests.journal.make_golden import GOLDEN, SECRETS, described
from tests.journal.scenes import ANCHOR, PATH, Book
from tests.support.disk import SimulatedDisk

NAME = "format1-key"
SECRET = Secret.parse(SECRETS[NAME])
FILE = (GOLDEN / f"{NAME}.queuedb").read_bytes()
MARK = (GOLDEN / f"{NAME}.queuedb.anchor").read_bytes()
WHOLE = json.loads((GOLDEN / f"{NAME}.json").read_text())
REFUSED = "refused"


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


def test_the_file_itself_is_good() -> None:
    assert opened(FILE, anchored=True) == (WHOLE, ())


def test_a_flipped_bit_in_any_byte_of_a_frame_is_refused() -> None:
    for byte in range(FRAMES_START, len(FILE)):
        assert opened(flipped(byte * 8 + byte % 8), anchored=True) == (REFUSED, ()), byte


def test_every_flipped_bit_of_a_frame_is_found_without_an_anchor() -> None:
    for bit in range(FRAMES_START * 8, len(FILE) * 8):
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
