"""Compaction: only what lives goes into the new file, and commits go on."""

import errno
import os

import pytest
from msgspec.structs import replace

from jobengine.errors import Damaged, JobEngineError, StorageFull, Unavailable, WrongSecret
from jobengine.journal.files import old_path
from jobengine.journal.header import FRAMES_START, read_header
from jobengine.model.blob import BLOB_PART_BYTES, Blob
from jobengine.model.changes import Change, DropJob, PutJob
from tests.journal.scenes import (
    ANCHOR,
    NEW,
    OTHER_SECRET,
    PATH,
    SECRET,
    Book,
    Scene,
    compact,
    disk_with,
    filled,
    job,
    put,
)
from tests.support.disk import SimulatedDisk

OTHER_TEXT = "hex:" + "5d" * 32


async def grown() -> tuple[SimulatedDisk, Scene]:
    """A file with few jobs left of many, and big values of which one is left; running."""
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
    return disk, Scene(disk).start()


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
    await compact(scene.journal, scene.book.snapshot())
    assert contents(scene) == before  # read from the new file
    again = Scene(disk.kill())
    assert again.warnings == ()
    assert contents(again) == before
    assert small(again.book) == small(scene.book)
    assert again.book.queues == scene.book.queues
    assert len(disk.content(PATH)) < size - BLOB_PART_BYTES
    header = read_header(disk.content(PATH))[0]
    assert header.file_id != old_id
    assert header.parent.file_id == old_id
    assert NEW not in disk.files
    await scene.journal.close()


async def test_commits_go_on_in_the_new_file() -> None:
    disk = await disk_with(5)
    scene = Scene(disk).start()
    sequence, time = scene.journal.sequence, scene.journal.last_time
    await compact(scene.journal, scene.book.snapshot())
    assert scene.journal.sequence == sequence + 2  # a snapshot, and its end
    await scene.journal.append(put(9))
    killed = Scene(disk.kill())
    assert len(killed.book.jobs) == 6
    assert killed.journal.last_time == time > 0
    await scene.journal.close()
    assert len(Scene(disk).book.jobs) == 6


async def test_sequences_never_fall_back_behind_what_was_committed_meanwhile() -> None:
    disk = await disk_with(1)
    scene = Scene(disk).start()
    successor = await scene.journal.succession.begin(live_bytes=0)
    successor.take(scene.book.snapshot())
    for number in range(10, 30):
        await scene.journal.append(put(number), put(number))
    sequence = scene.journal.sequence
    assert await scene.journal.succession.install(successor, is_ready=lambda: True)
    assert scene.journal.sequence == sequence + 1
    killed = Scene(disk.kill())
    assert killed.warnings == ()
    assert len(killed.book.jobs) == 21
    await scene.journal.close()


async def test_only_the_copies_of_what_changes_meanwhile_come_into_the_new_file() -> None:
    disk = await disk_with(0)
    scene = Scene(disk).start()
    successor = await scene.journal.succession.begin(live_bytes=0)
    successor.take(scene.book.snapshot())
    await scene.journal.append(put(1), put(1))
    await scene.journal.append(put(2), [])
    unwritten = scene.journal.append(put(3), []), scene.journal.append(put(4), put(4))
    assert await scene.journal.succession.install(successor, is_ready=lambda: True)
    for waiter in unwritten:
        await waiter
    await scene.journal.append(put(5))
    assert set(Scene(disk.kill()).book.jobs) == {job(number).uid for number in (1, 4, 5)}
    await scene.journal.close()


async def test_a_file_that_is_not_ready_after_all_is_not_replaced() -> None:
    disk = await disk_with(2)
    scene = Scene(disk).start()
    content = read_header(disk.content(PATH))[0]
    successor = await scene.journal.succession.begin(live_bytes=0)
    assert not await scene.journal.succession.install(successor, is_ready=lambda: False)
    await scene.journal.succession.abandon(successor)
    assert read_header(disk.content(PATH))[0] == content
    assert NEW not in disk.files
    await scene.journal.append(put(3))
    await scene.journal.close()
    assert len(Scene(disk).book.jobs) == 3


async def test_there_is_one_compaction_at_a_time() -> None:
    scene = Scene(await disk_with(1)).start()
    successor = await scene.journal.succession.begin(live_bytes=0)
    with pytest.raises(Unavailable, match="under way"):
        await scene.journal.succession.begin(live_bytes=0)
    await scene.journal.succession.abandon(successor)
    await compact(scene.journal, scene.book.snapshot())
    await scene.journal.close()


async def test_an_empty_book_is_compacted_too() -> None:
    disk = await disk_with(3)
    scene = Scene(disk).start()
    await compact(scene.journal, [])
    await scene.journal.close()
    assert Scene(disk).book == Book()


async def test_a_file_can_be_compacted_again_and_again() -> None:
    disk, scene = await grown()
    before = contents(scene)
    for _ in range(3):
        await compact(scene.journal, scene.book.snapshot())
        assert contents(scene) == before
    assert contents(Scene(disk.kill())) == before
    await scene.journal.close()


async def test_a_big_value_that_no_job_had_is_left_behind() -> None:
    disk, scene = await grown()
    blob = await scene.journal.write_blob(b"nobody's" * 4000)
    await compact(scene.journal, scene.book.snapshot())
    with pytest.raises(Damaged, match="gone"):
        scene.journal.read_blob(blob)
    assert len(disk.content(PATH)) < 2 * BLOB_PART_BYTES
    await scene.journal.close()


async def test_the_data_key_is_a_new_one_and_the_secret_stays() -> None:
    disk = await disk_with(3)
    old = read_header(disk.content(PATH))[0]
    scene = Scene(disk).start()
    await compact(scene.journal, scene.book.snapshot())
    new = read_header(disk.content(PATH))[0]
    assert new.unlock(SECRET).body != old.unlock(SECRET).body
    assert new.salt == old.salt
    with pytest.raises(WrongSecret):
        new.unlock(OTHER_SECRET)
    await scene.journal.close()


async def test_a_new_secret_opens_the_new_file_and_the_old_one_does_not() -> None:
    disk = await disk_with(3)
    old = read_header(disk.content(PATH))[0]
    scene = Scene(disk).start()
    await compact(scene.journal, scene.book.snapshot(), new_secret=OTHER_TEXT)
    await compact(scene.journal, scene.book.snapshot())  # it goes on under the new one
    new = read_header(disk.content(PATH))[0]
    assert new.salt != old.salt
    await scene.journal.close()
    with pytest.raises(WrongSecret):
        Scene(disk)
    assert Scene(disk.kill(), secret=OTHER_SECRET).book == scene.book


async def test_a_disk_without_room_leaves_all_as_it_was() -> None:
    disk, scene = await grown()
    disk.room = sum(len(file.seen) for file in disk.files.values()) + 1000
    before = read_header(disk.content(PATH))[0]
    with pytest.raises(StorageFull, match="MiB free"):
        await compact(scene.journal, scene.book.snapshot(), live_bytes=2000)
    disk.free_bytes = lambda directory: 1 << 40  # type: ignore[method-assign]
    with pytest.raises(StorageFull, match="stays in use"):
        await compact(scene.journal, scene.book.snapshot())
    assert NEW not in disk.files
    assert read_header(disk.content(PATH))[0] == before
    disk.room = None
    await scene.journal.append(put(90))
    await scene.journal.close()
    assert len(Scene(disk).book.jobs) == 4


async def test_a_damaged_big_value_is_not_carried_on() -> None:
    disk, scene = await grown()
    await scene.journal.close()
    blob = scene.book.jobs[job(61).uid].content
    assert isinstance(blob, Blob)
    data = bytearray(disk.content(PATH))
    data[blob.offsets[0] + 300] ^= 1
    disk.put(PATH, bytes(data))
    damaged = Scene(disk.kill()).start()
    with pytest.raises(Damaged):
        await compact(damaged.journal, damaged.book.snapshot())
    await damaged.journal.close()


async def test_any_failing_call_leaves_one_complete_file() -> None:
    original = await disk_with(3)
    counted = original.kill()
    scene = Scene(counted).start()
    start = len(counted.calls)
    await compact(scene.journal, scene.book.snapshot())
    end = len(counted.calls)
    await scene.journal.close()
    for number in range(start, end):
        disk = original.kill()
        scene = Scene(disk).start()
        disk.failing[number] = errno.EIO
        try:
            await compact(scene.journal, scene.book.snapshot())
        except JobEngineError:
            again = Scene(disk.kill())
            assert again.book == scene.book, counted.calls[number]
        await scene.journal.close()
        assert Scene(disk.kill()).book == scene.book, counted.calls[number]


@pytest.mark.parametrize("keep", [1, 2, 3, 5])
async def test_what_was_replaced_is_kept_when_wanted_and_the_oldest_goes(keep: int) -> None:
    disk = await disk_with(3)
    scene = Scene(disk, keep_old_files=keep).start()
    kept = []
    for _ in range(keep + 1):
        kept.append((old_path(PATH, scene.journal.sequence), disk.content(PATH)))
        await compact(scene.journal, scene.book.snapshot())
    await scene.journal.close()
    assert {path: disk.content(path) for path in disk.files if ".old-" in path.name} == dict(kept[1:])


async def test_a_name_that_a_crash_left_does_not_keep_the_next_compaction_from_its_end() -> None:
    disk = await disk_with(3)
    scene = Scene(disk, keep_old_files=1).start()
    kept = old_path(PATH, scene.journal.sequence)
    disk.put(kept, b"left over")
    content = disk.content(PATH)
    await compact(scene.journal, scene.book.snapshot())
    assert disk.content(kept) == content
    await scene.journal.close()


async def test_leftovers_of_a_compaction_that_was_cut_short_are_removed() -> None:
    disk = await disk_with(3)
    disk.put(NEW, b"half a file")
    Scene(disk)
    assert NEW not in disk.files


async def test_half_a_snapshot_is_never_taken_for_the_whole() -> None:
    disk = await disk_with(3)
    scene = Scene(disk).start()
    many = [*scene.book.snapshot(), *(PutJob(job(number, content=bytes(2000))) for number in range(10, 400))]
    await compact(scene.journal, many)
    await scene.journal.close()
    data = disk.content(PATH)
    del disk.files[ANCHOR]
    first_frame = int.from_bytes(data[8192 + 8 : 8192 + 12], "little")
    disk.put(PATH, data[: FRAMES_START + 128 + -(-first_frame // 128) * 128])
    with pytest.raises(Damaged, match="snapshot is not complete"):
        Scene(disk)


async def test_a_compacted_file_beside_a_later_anchor_of_its_parent_is_refused() -> None:
    disk = await disk_with(3)
    branch = disk.kill()
    scene = Scene(branch).start()
    await compact(scene.journal, scene.book.snapshot())
    compacted = branch.content(PATH)
    await scene.journal.close()
    scene = Scene(disk).start()
    await scene.journal.append(put(9))
    await scene.journal.close()
    disk.put(PATH, compacted)
    with pytest.raises(Damaged, match="2 acknowledged commits are missing"):
        Scene(disk)
