"""Compaction at the start: only what lives goes into the new file."""

import errno
import os

import pytest
from msgspec.structs import replace

from jobengine.errors import Damaged, InputOutputFailed
from jobengine.journal.header import FRAMES_START, read_header
from jobengine.model.changes import Change, DropJob, PutJob
from jobengine.model.job import BLOB_PART_BYTES, Blob
from tests.journal.scenes import (
    ANCHOR,
    NEW,
    OTHER_SECRET,
    PATH,
    SECRET,
    Book,
    Scene,
    disk_with,
    filled,
    job,
    put,
)
from tests.support.disk import SimulatedDisk


async def grown() -> tuple[SimulatedDisk, Scene]:
    """A file with few jobs left of many, and big values of which one is left; opened anew."""
    disk = SimulatedDisk()
    scene = await filled(disk, 0)
    for number in range(50):
        await scene.journal.append(put(number, content=os.urandom(1000)))
    dead = await scene.journal.write_blob(os.urandom(BLOB_PART_BYTES))
    live = await scene.journal.write_blob(b"live" * 400_000)
    await scene.journal.append([*put(60, content=dead), *put(61, content=live)])
    gone: list[Change] = [DropJob("mail", job(number).uid) for number in [*range(48), 60]]
    await scene.journal.append(gone)
    await scene.journal.close()
    return disk, Scene(disk)


def contents(scene: Scene) -> dict[str, bytes]:
    """The contents of all jobs."""
    jobs = scene.book.jobs.items()
    read = scene.journal.read_blob
    return {uid: read(job.content) if isinstance(job.content, Blob) else job.content for uid, job in jobs}


def small(book: Book) -> dict[str, object]:
    """All of the jobs but their contents."""
    return {uid: replace(job, content=b"") for uid, job in book.jobs.items()}


async def test_what_lives_is_in_the_new_file_and_nothing_else() -> None:
    disk, scene = await grown()
    before, size = contents(scene), len(disk.content(PATH))
    old_id = read_header(disk.content(PATH))[0].file_id
    assert scene.journal.compact(scene.book.snapshot(), live_bytes=0)
    again = Scene(disk)
    assert again.warnings == ()
    assert contents(again) == before
    assert small(again.book) == small(scene.book)
    assert again.book.queues == scene.book.queues
    assert len(disk.content(PATH)) < size - BLOB_PART_BYTES
    header = read_header(disk.content(PATH))[0]
    assert header.file_id != old_id
    assert header.parent.file_id == old_id
    assert NEW not in disk.files


async def test_sequences_and_times_go_on() -> None:
    disk = await disk_with(5)
    scene = Scene(disk)
    sequence, time = scene.journal._tail.place.sequence, scene.journal.last_time
    assert scene.journal.compact(scene.book.snapshot(), live_bytes=0)
    again = Scene(disk).start()
    assert again.journal._tail.place.sequence == sequence + 2  # a snapshot, and its end
    assert again.journal.last_time == time > 0
    await again.journal.append(put(9))
    await again.journal.close()
    assert len(Scene(disk).book.jobs) == 6


async def test_an_empty_book_is_compacted_too() -> None:
    disk = await disk_with(3)
    assert Scene(disk).journal.compact([], live_bytes=0)
    assert Scene(disk).book == Book()


async def test_a_file_can_be_compacted_again_and_again() -> None:
    disk, scene = await grown()
    before = contents(scene)
    for _ in range(3):
        assert scene.journal.compact(scene.book.snapshot(), live_bytes=0)
        scene = Scene(disk)
    assert contents(scene) == before


async def test_the_secret_stays_the_same_and_the_data_key_does_not() -> None:
    disk = await disk_with(3)
    old = read_header(disk.content(PATH))[0]
    scene = Scene(disk)
    assert scene.journal.compact(scene.book.snapshot(), live_bytes=0)
    new = read_header(disk.content(PATH))[0]
    assert new.unlock(SECRET).body != old.unlock(SECRET).body
    assert new.salt == old.salt
    with pytest.raises(Exception, match="does not open"):
        new.unlock(OTHER_SECRET)


async def test_a_disk_without_room_leaves_all_as_it_was() -> None:
    disk, scene = await grown()
    before = disk.content(PATH)
    disk.room = sum(len(file.seen) for file in disk.files.values()) + 1000
    assert not scene.journal.compact(scene.book.snapshot(), live_bytes=2000)
    disk.free_bytes = lambda directory: 1 << 40  # type: ignore[method-assign]
    assert not scene.journal.compact(scene.book.snapshot(), live_bytes=0)
    assert NEW not in disk.files
    assert disk.content(PATH) == before
    disk.room = None
    await scene.start().journal.append(put(90))
    await scene.journal.close()
    assert len(Scene(disk).book.jobs) == 4


async def test_a_damaged_big_value_is_not_carried_on() -> None:
    disk, scene = await grown()
    blob = scene.book.jobs[job(61).uid].content
    assert isinstance(blob, Blob)
    data = bytearray(disk.content(PATH))
    data[blob.offsets[0] + 300] ^= 1
    disk.put(PATH, bytes(data))
    damaged = Scene(disk.kill())
    with pytest.raises(Damaged):
        damaged.journal.compact(damaged.book.snapshot(), live_bytes=0)


async def test_any_failing_call_leaves_one_complete_file() -> None:
    original = await disk_with(3)
    counted = original.kill()
    scene = Scene(counted)
    start = len(counted.calls)
    assert scene.journal.compact(scene.book.snapshot(), live_bytes=0)
    for number in range(start, len(counted.calls)):
        disk = original.kill()
        scene = Scene(disk)
        disk.failing[number] = errno.EIO
        with pytest.raises(InputOutputFailed):
            scene.journal.compact(scene.book.snapshot(), live_bytes=0)
        again = Scene(disk.kill())
        assert again.book == scene.book
        assert again.warnings == ()


async def test_leftovers_of_a_compaction_that_was_cut_short_are_removed() -> None:
    disk = await disk_with(3)
    disk.put(NEW, b"half a file")
    Scene(disk)
    assert NEW not in disk.files


async def test_half_a_snapshot_is_never_taken_for_the_whole() -> None:
    disk = await disk_with(3)
    scene = Scene(disk)
    many = [*scene.book.snapshot(), *(PutJob(job(number, content=bytes(2000))) for number in range(10, 400))]
    assert scene.journal.compact(many, live_bytes=0)
    data = disk.content(PATH)
    del disk.files[ANCHOR]
    first_frame = int.from_bytes(data[8192 + 8 : 8192 + 12], "little")
    disk.put(PATH, data[: FRAMES_START + 128 + -(-first_frame // 128) * 128])
    with pytest.raises(Damaged, match="snapshot is not complete"):
        Scene(disk)


async def test_a_compacted_file_beside_a_later_anchor_of_its_parent_is_refused() -> None:
    disk = await disk_with(3)
    branch = disk.kill()
    scene = Scene(branch)
    assert scene.journal.compact(scene.book.snapshot(), live_bytes=0)
    scene = Scene(disk).start()
    await scene.journal.append(put(9))
    await scene.journal.close()
    disk.put(PATH, branch.content(PATH))
    with pytest.raises(Damaged, match="2 acknowledged commits are missing"):
        Scene(disk)


async def test_a_file_is_worth_compacting_when_it_is_large_and_mostly_dead() -> None:
    journal = Scene(await disk_with(3)).journal
    size = journal.size
    assert journal.worth_compacting(size // 4, above_bytes=size - 1, live_ratio=0.5)
    assert not journal.worth_compacting(size // 4, above_bytes=size, live_ratio=0.5)
    assert not journal.worth_compacting(size // 2 + 1, above_bytes=0, live_ratio=0.5)
