"""Going through the frames of a file."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from jobengine.journal.frame import FrameSealer, FrameType, Place
from jobengine.journal.keys import Keys
from jobengine.journal.scan import Scan
from tests.support.disk import SimulatedDisk

FILE = Path("/simulated/frames")
SEALER = FrameSealer(Keys.derive(bytes(32), bytes(16)))
START = Place(end=0, sequence=7, time=1000, tag=b"t" * 16)


def scan(data: bytes) -> Scan:
    disk = SimulatedDisk()
    disk.put(FILE, data)
    return Scan(disk, disk.open(FILE), SEALER, START)


def frames(*bodies: bytes) -> tuple[bytes, Place]:
    """Frames that follow one another, and the place behind them."""
    data, place = bytearray(), START
    for body in bodies:
        frame = SEALER.seal(FrameType.CHANGES, body, time=0, before=place)
        data += frame.data
        place = frame.after
    return bytes(data), place


def test_all_frames_are_found_in_order() -> None:
    bodies = [b"x" * (number * 97) for number in range(500)]
    data, place = frames(*bodies)
    found = scan(data)
    assert [body for _, body in found.frames()] == bodies
    assert found.place == place
    assert found.trouble is None
    assert found.last is not None
    assert found.last.sequence == 507


def test_an_empty_file_has_no_frames_and_no_trouble() -> None:
    found = scan(b"")
    assert list(found.frames()) == []
    assert (found.place, found.trouble, found.last) == (START, None, None)


@pytest.mark.parametrize("wrong", [{"sequence": 6}, {"sequence": 8}, {"tag": b"u" * 16}])
def test_a_frame_counts_only_behind_the_one_that_it_names(wrong: dict[str, object]) -> None:
    frame = SEALER.seal(FrameType.CHANGES, b"body", time=0, before=replace(START, **wrong))
    found = scan(frame.data)
    assert list(found.frames()) == []
    assert found.trouble is not None
    assert found.trouble.offset == 0


def test_a_length_is_not_believed_before_its_head_is() -> None:
    data = bytearray(frames(b"body")[0])
    data[8:12] = b"\xff" * 4
    found = scan(bytes(data))
    assert list(found.frames()) == []
    assert found.trouble is not None
    assert found.trouble.end == len(data)
