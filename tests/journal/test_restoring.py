"""A restored file starts at once and is not taken for rolled back; what was there before is never lost."""

import errno
from pathlib import Path
from random import Random

import pytest

from jobengine.errors import Damaged, Fatal, InputOutputFailed, JobEngineError, Locked, WrongSecret
from jobengine.journal.backup import back_up
from jobengine.journal.files import beside, old_path
from jobengine.journal.frame import FrameType
from jobengine.journal.lock import take_lock
from jobengine.journal.prefix import Until
from jobengine.journal.restoring import Restored, Restoring
from tests.journal.damage import damaged, heads, looked_at, rich_disk, verified
from tests.journal.scenes import ANCHOR, OTHER_SECRET, PATH, SECRET, WALL_MS, Scene, compact, disk_with, put
from tests.support.disk import SimulatedDisk

COPY = PATH.with_name("copy.queuedb")
KEPT = beside(PATH, ".before-restore-5")


def restored(
    disk: SimulatedDisk, source: Path | None = None, until: Until | None = None, *, overwrite: bool = True
) -> Restored:
    """The database, put back."""
    restoring = Restoring(PATH, SECRET, files=disk, reading_files=disk, wall_ms=5)
    return restoring.run(source, until or Until(), overwrite=overwrite)


async def with_copy() -> SimulatedDisk:
    """A backup with two jobs, and a database that has gone on to five."""
    disk = await disk_with(2)
    with looked_at(disk) as read:
        back_up(read, COPY, files=disk)
    scene = Scene(disk).start()
    for number in (2, 3, 4):
        await scene.journal.append(put(number))
    await scene.journal.close()
    return disk.kill()


async def starts_with(disk: SimulatedDisk, jobs: int) -> None:
    """A server starts, goes on, stops, and starts again, without a warning."""
    scene = Scene(disk).start()
    assert (len(scene.book.jobs), scene.warnings) == (jobs, ())
    await scene.journal.append(put(90))
    await scene.journal.close()
    again = Scene(disk.kill())
    assert (len(again.book.jobs), again.warnings) == (jobs + 1, ())


async def test_a_restored_copy_starts_at_once_and_later() -> None:
    disk = await with_copy()
    before = disk.content(PATH)
    done = restored(disk, COPY)
    assert done.kept == KEPT
    assert disk.content(KEPT) == before
    assert disk.content(PATH) == disk.content(COPY)
    assert disk.files[PATH].durable == disk.content(PATH)
    await starts_with(disk, 2)


async def test_a_copy_is_restored_where_there_was_nothing() -> None:
    disk, empty = await with_copy(), SimulatedDisk()
    empty.put(COPY, disk.content(COPY))
    assert restored(empty, COPY, overwrite=False).kept is None
    await starts_with(empty, 2)


async def test_nothing_is_replaced_unasked() -> None:
    disk = await with_copy()
    before = {path: disk.content(path) for path in (PATH, ANCHOR)}
    for source in (COPY, None):
        with pytest.raises(Fatal, match="--overwrite"):
            restored(disk, source, overwrite=False)
    assert {path: disk.content(path) for path in (PATH, ANCHOR)} == before


async def test_no_server_may_be_running() -> None:
    disk = await with_copy()
    take_lock(disk, beside(PATH, ".lock"))
    with pytest.raises(Locked):
        restored(disk, COPY)


async def test_a_wrong_secret_or_a_missing_copy_changes_nothing() -> None:
    disk = await with_copy()
    before = disk.content(PATH)
    with pytest.raises(WrongSecret):
        Restoring(PATH, OTHER_SECRET, files=disk, reading_files=disk).run(COPY, Until(), overwrite=True)
    with pytest.raises(Fatal, match="no such database file"):
        restored(disk, PATH.with_name("none"))
    assert disk.content(PATH) == before


@pytest.mark.parametrize("sequence", range(7))
async def test_the_file_goes_back_to_each_of_its_commits(sequence: int) -> None:
    disk = await with_copy()
    done = restored(disk, until=Until(sequence=sequence))
    assert (done.sequence, done.reaches_back_to.sequence) == (sequence, 0)
    if sequence:
        await starts_with(disk, min(sequence - 1, 5))


async def test_a_time_names_the_last_commit_of_that_time() -> None:
    disk = await disk_with(2)
    times = [head.time for head in heads(disk)]
    assert restored(disk.kill(), until=Until(time=times[-1])).sequence == 3
    assert restored(disk.kill(), until=Until(time=WALL_MS)).time == WALL_MS
    with pytest.raises(Fatal, match="as far back as it goes"):
        restored(disk.kill(), until=Until(time=WALL_MS - 1))


async def test_a_moment_inside_a_snapshot_cannot_be_reached() -> None:
    disk = await rich_disk()
    end = next(head for head in heads(disk) if head.type == FrameType.SNAPSHOT_END)
    with pytest.raises(Fatal, match=f"commit {end.sequence} of"):
        restored(disk, until=Until(sequence=end.sequence - 1))
    assert restored(disk, until=Until(sequence=end.sequence)).sequence == end.sequence
    await starts_with(disk, 3)


async def test_a_moment_before_the_compaction_comes_out_of_the_kept_old_file() -> None:
    disk = await disk_with(2)
    old = Scene(disk, keep_old_files=1).start()
    await compact(old.journal, old.book.snapshot())
    await old.journal.append(put(50))
    await old.journal.close()
    disk = disk.kill()
    done = restored(disk, until=Until(sequence=2))
    assert done.source == old_path(PATH, 3)
    assert done.reaches_back_to.path == old_path(PATH, 3)
    await starts_with(disk, 1)


async def test_an_old_file_that_this_one_was_not_made_of_is_not_searched() -> None:
    disk, other = await rich_disk(), await disk_with(1)
    disk.put(old_path(PATH, 3), other.content(PATH))
    with pytest.raises(Fatal, match="as far back as it goes"):
        restored(disk, until=Until(sequence=1))


async def test_a_damaged_copy_is_not_restored_but_a_moment_before_the_damage_is() -> None:
    disk = await with_copy()
    frames = heads(disk)
    changed = damaged(disk, frames[3].offset + 140)
    before = changed.content(PATH)
    with pytest.raises(Damaged, match="behind commit 3"):
        restored(changed)
    assert changed.content(PATH) == before
    assert restored(changed, until=Until(sequence=3)).sequence == 3
    await starts_with(changed, 2)


async def test_a_damaged_big_value_is_found_before_anything_is_replaced() -> None:
    disk = await rich_disk()
    blob = next(head for head in heads(disk) if head.type == FrameType.BLOB)
    changed = damaged(disk, blob.offset + 200)
    with pytest.raises(Damaged):
        restored(changed)
    assert changed.content(PATH) == damaged(disk, blob.offset + 200).content(PATH)


async def test_an_older_copy_put_in_place_by_hand_is_accepted_by_restoring_it() -> None:
    disk = await with_copy()
    disk.put(PATH, disk.content(COPY))
    with pytest.raises(Damaged):
        Scene(disk.kill())
    restored(disk)
    await starts_with(disk, 2)


@pytest.mark.parametrize("is_compacted", [False, True])
async def test_a_crash_on_the_way_leaves_the_one_or_the_other_and_it_starts(is_compacted: bool) -> None:
    disk = await with_copy()
    if is_compacted:
        scene = Scene(disk).start()
        await compact(scene.journal, scene.book.snapshot())
        await scene.journal.close()
        disk = disk.kill()
    before, copy = disk.content(PATH), disk.content(COPY)
    disk.history = []
    restored(disk, COPY)
    random, seen = Random(3), set()
    for moment in disk.history:
        for keep in (0.0, 0.3, 0.7, 1.0):
            left = moment.crash(random, keep=keep)
            assert left.content(PATH) in (before, copy)
            assert before in (left.content(PATH), KEPT in left.files and left.content(KEPT))
            seen.add(len(Scene(left).book.jobs))
    assert seen == {2, 5}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
async def test_a_call_that_fails_loses_nothing(number: int) -> None:
    disk = await with_copy()
    before = disk.content(PATH)
    calls = disk.kill()
    restored(calls, COPY)
    for call in range(len(calls.calls)):
        failing = disk.kill()
        failing.failing[call] = number
        try:
            restored(failing, COPY)
        except JobEngineError as error:
            assert isinstance(error, InputOutputFailed)  # noqa: PT017 - the lock's own write may fail unnoticed
        left = failing.kill()
        assert before in (left.content(PATH), KEPT in left.files and left.content(KEPT))
        Scene(left)


async def test_the_restored_file_is_whole() -> None:
    disk = await with_copy()
    restored(disk, COPY)
    assert verified(disk).findings == ()


async def test_what_a_restore_left_behind_is_no_part_of_the_past() -> None:
    """Two kept files have one id then: the one that was given up, and the one that the file was made of."""
    disk = await disk_with(4)
    scene = Scene(disk, keep_old_files=9).start()
    await compact(scene.journal, scene.book.snapshot())  # its past ends with commit 5
    await scene.journal.append(put(50))
    await scene.journal.close()
    restored(disk, until=Until(sequence=3))
    scene = Scene(disk, keep_old_files=9).start()
    await scene.journal.append(put(60))
    await compact(scene.journal, scene.book.snapshot())
    await scene.journal.close()
    restored(disk, until=Until(sequence=4))
    left = set(Scene(disk.kill()).book.jobs)
    assert left == {put(number)[0].job.uid for number in (0, 1, 60)}  # type: ignore[union-attr]
