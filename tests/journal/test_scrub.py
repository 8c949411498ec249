"""The scrub: every byte of the file in use is looked at, and what is damaged is named."""

import errno
import os
from collections.abc import Iterable
from itertools import pairwise

import pytest

from jobengine.journal import scrub as scrubbing
from jobengine.journal.files import Files
from jobengine.journal.frame import ALIGNMENT
from jobengine.journal.header import COPY_BYTES, FRAMES_START
from jobengine.journal.scrub import DamagedRange, Scrub
from jobengine.model.changes import PutJob
from tests.journal.scenes import PATH, Scene, filled, job, put
from tests.support.disk import SimulatedDisk

PAGE = 4096


def run(scrub: Scrub) -> list[DamagedRange]:
    """To its end."""
    while not scrub.is_done:
        assert scrub.step() > 0
    return scrub.damages


def damage(disk: SimulatedDisk, offsets: Iterable[int]) -> None:
    for offset in offsets:
        disk.files[PATH].seen[offset] ^= 1


def frames(scene: Scene) -> list[DamagedRange]:
    """Where each frame stands: a scrub that is shown them one by one."""
    ends = [FRAMES_START]
    volume = scene.journal._volume
    while ends[-1] < volume.tail.place.end:
        data = bytes(volume._files.read(volume._shared.descriptor, 128, ends[-1]))
        head = volume._sealer.head(data, 0, offset=ends[-1])
        assert head is not None
        ends.append(head.end)
    return [DamagedRange(start, end) for start, end in pairwise(ends)]


@pytest.fixture(params=[512, 64 * 1024], ids=["small pieces", "large pieces"])
def _pieces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrubbing, "PIECE_BYTES", request.param)


async def with_blobs(disk: SimulatedDisk) -> Scene:
    scene = await filled(disk)
    blob = await scene.journal.write_blob(b"x" * 1_500_000)
    await scene.journal.append([PutJob(job(8, content=blob))])
    await scene.journal.append(put(9))
    return scene


@pytest.mark.usefixtures("_pieces")
async def test_a_whole_file_is_read_to_its_end_and_found_good() -> None:
    disk = SimulatedDisk()
    scene = await with_blobs(disk)
    before = disk.bytes_read
    assert run(scene.journal.scrub()) == []
    assert disk.bytes_read - before >= scene.journal.size
    await scene.journal.close()


@pytest.mark.usefixtures("_pieces")
async def test_a_damaged_frame_is_named_whichever_of_its_bytes_it_is() -> None:
    """A blob's body too, which no start reads."""
    disk = SimulatedDisk()
    scene = await with_blobs(disk)
    for frame in frames(scene):
        for offset in (frame.offset + 4, frame.offset + 129, frame.end - 1):
            damage(disk, [offset])
            assert run(scene.journal.scrub()) == [frame], offset
            damage(disk, [offset])
    await scene.journal.close()


@pytest.mark.usefixtures("_pieces")
async def test_damages_that_touch_each_other_are_one_and_others_are_not() -> None:
    disk = SimulatedDisk()
    scene = await with_blobs(disk)
    first, second, _, fourth, *_ = frames(scene)
    damage(disk, [first.offset, second.offset + 200, fourth.offset + 100])
    assert run(scene.journal.scrub()) == [DamagedRange(first.offset, second.end), fourth]
    await scene.journal.close()


async def test_a_frame_in_the_place_of_another_is_damage() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk, jobs=3)
    _, second, third, _ = frames(scene)
    assert second.end - second.offset == third.end - third.offset
    seen = disk.files[PATH].seen
    seen[third.offset : third.end] = seen[second.offset : second.end]
    assert run(scene.journal.scrub()) == [third]
    await scene.journal.close()


async def test_a_frame_from_another_past_does_not_go_with_the_one_behind_it() -> None:
    """Written by this very file, at this very place, before a copy was put back: authentic by itself."""
    disk = SimulatedDisk()
    scene = await filled(disk)
    other_past = disk.kill()
    other = Scene(other_past).start()
    await other.journal.append(put(5))
    for number in (6, 7):
        await scene.journal.append(put(number))
    *_, replaced, last = frames(scene)
    place = slice(replaced.offset, replaced.end)
    disk.files[PATH].seen[place] = other_past.files[PATH].seen[place]
    assert run(scene.journal.scrub()) == [last]
    for each in (scene, other):
        await each.journal.close()


@pytest.mark.parametrize("offset", [0, 100, COPY_BYTES + 7])
async def test_a_damaged_copy_of_the_header_is_found(offset: int) -> None:
    disk = SimulatedDisk()
    scene = await filled(disk)
    damage(disk, [offset])
    (found,) = run(scene.journal.scrub())
    assert found.offset <= offset < found.end <= FRAMES_START
    await scene.journal.close()


async def test_a_header_of_which_nothing_is_left_is_found() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk)
    damage(disk, [9, COPY_BYTES + 9])
    assert run(scene.journal.scrub()) == [DamagedRange(0, FRAMES_START)]
    await scene.journal.close()


async def test_a_file_that_somebody_cut_short_is_damaged_to_its_end() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk)
    last = frames(scene)[-1]
    del disk.files[PATH].seen[last.offset :]
    assert run(scene.journal.scrub()) == [last]
    await scene.journal.close()


async def test_what_comes_after_its_beginning_is_left_to_the_next_one() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk)
    scrub = scene.journal.scrub()
    end = scene.journal.size
    await scene.journal.append(put(7))
    damage(disk, [end + 200])
    assert run(scrub) == []
    assert run(scene.journal.scrub()) == [DamagedRange(end, scene.journal.size)]
    disk.files[PATH].seen[end + 200] ^= 1
    await scene.journal.close()


class BadPage:
    """A disk one of whose pages cannot be read."""

    def __init__(self, disk: SimulatedDisk, page: int) -> None:
        self._disk = disk
        self._start = page * PAGE

    def __getattr__(self, name: str) -> object:
        return getattr(self._disk, name)

    def read(self, file: int, length: int, offset: int) -> bytes:
        """As Linux does: all before the page, then an error."""
        if self._start <= offset < self._start + PAGE:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        if offset < self._start < offset + length:
            length = self._start - offset
        return self._disk.read(file, length, offset)


async def test_what_cannot_be_read_is_damage_and_the_rest_is_read() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk, jobs=60)
    for page in range(scene.journal.size // PAGE + 1):
        scrub = scene.journal.scrub()
        bad: Files = BadPage(disk, page)  # type: ignore[assignment]  # it passes on the other calls
        scrub._files = bad
        start, end = page * PAGE, min((page + 1) * PAGE, scene.journal.size)
        (found,) = run(scrub)
        touched = [each for each in frames(scene) if each.offset < end and each.end > start]
        if touched:
            assert (found.offset, found.end) == (touched[0].offset, touched[-1].end)
        else:
            assert found.offset <= start < end <= found.end == FRAMES_START
        assert found.offset % ALIGNMENT == found.end % ALIGNMENT == 0
    await scene.journal.close()


async def test_a_scrub_of_a_closed_file_touches_nothing() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk)
    scrub = scene.journal.scrub()
    await scene.journal.close()
    calls = len(disk.calls)
    assert scrub.step() == 0
    assert len(disk.calls) == calls
