"""Repair keeps everything that is authentic, names what is lost, and never loses the original."""

import errno
from contextlib import suppress
from random import Random

import pytest
from msgspec.structs import replace

from jobengine.errors import Damaged, Fatal, InputOutputFailed, Locked, WrongSecret
from jobengine.journal.files import beside
from jobengine.journal.frame import FrameType
from jobengine.journal.lock import take_lock
from jobengine.journal.repair import Repaired, Repairing
from jobengine.journal.salvage import Name
from jobengine.model.blob import Blob
from jobengine.model.changes import DropJob, PutJob, PutQueue, move
from jobengine.model.queue import Queue
from jobengine.model.states import State
from tests.journal.damage import damaged, heads, rich_disk, verified
from tests.journal.scenes import ANCHOR, MAIL, NEW, OTHER_SECRET, PATH, SECRET, Scene, disk_with, job, put
from tests.support.disk import SimulatedDisk

KEPT = beside(PATH, ".damaged-5")


def repaired(disk: SimulatedDisk, *, accept_loss: bool = True) -> Repaired:
    """The outcome of a repair."""
    return Repairing(PATH, SECRET, files=disk, reading_files=disk, wall_ms=5).run(accept_loss=accept_loss)


def name(number: int) -> Name:
    return Name("mail", job(number).uid)


async def starts_with(disk: SimulatedDisk, *numbers: int) -> None:
    """A server starts with these jobs, goes on, and starts again."""
    scene = Scene(disk).start()
    assert sorted(scene.book.jobs) == [job(number).uid for number in numbers]
    await scene.journal.append(put(90))
    await scene.journal.close()
    assert Scene(disk.kill()).warnings == ()


async def test_a_whole_file_is_left_alone() -> None:
    disk = await rich_disk()
    files = {path: disk.content(path) for path in disk.files}
    done = repaired(disk)
    assert (done.findings, done.kept, done.jobs_kept) == ((), None, 5)
    assert {path: disk.content(path) for path in files if path.suffix != ".lock"} == {
        path: content for path, content in files.items() if path.suffix != ".lock"
    }


async def test_without_accepting_the_loss_nothing_is_changed() -> None:
    disk = await disk_with(4)
    changed = damaged(disk, heads(disk)[2].offset)
    before = {path: changed.content(path) for path in (PATH, ANCHOR)}
    done = repaired(changed, accept_loss=False)
    assert len(done.findings) == 1
    assert (done.kept, done.jobs_kept, done.commits_missing) == (None, 3, 1)
    assert {path: changed.content(path) for path in (PATH, ANCHOR)} == before
    assert NEW not in changed.files


@pytest.mark.parametrize("frame", range(1, 6))
async def test_the_jobs_before_and_behind_the_damage_are_kept(frame: int) -> None:
    disk = await disk_with(5)
    head = heads(disk)[frame]
    for byte in (head.offset + 2, head.offset + 120, head.offset + 130, head.end - 1):
        changed = damaged(disk, byte)
        before = changed.content(PATH)
        done = repaired(changed)
        assert (done.findings[0].offset, done.findings[0].end) == (head.offset, head.end)
        assert done.kept == KEPT
        assert changed.content(KEPT) == before
        assert verified(changed).findings == ()
        await starts_with(changed, *(number for number in range(5) if number != frame - 1))


async def test_what_cannot_be_said_of_a_job_is_said() -> None:
    disk = SimulatedDisk()
    scene = Scene(disk).start()
    for changes in (
        [PutQueue(MAIL)],
        [*put(0), *put(1), *put(2), *put(3)],
        [*put(4), *put(5), *put(6)],  # will be damaged
        [move(replace(job(1), state=State.COMPLETE)), move(replace(job(4), state=State.COMPLETE))],
        [PutJob(job(2)), DropJob("mail", job(3).uid), move(job(5)), DropJob("mail", job(5).uid)],
    ):
        await scene.journal.append(changes)
    await scene.journal.close()
    done = repaired(damaged(disk, heads(disk)[2].offset + 130))
    assert done.lost == (name(4),)
    assert done.uncertain == (name(0), name(1))  # a claim behind the damage does not tell the content
    assert done.jobs_kept == 3


async def test_a_queue_whose_record_is_lost_keeps_its_jobs() -> None:
    disk = SimulatedDisk()
    scene = Scene(disk).start()
    await scene.journal.append([PutQueue(MAIL)])
    await scene.journal.append(put(0))
    await scene.journal.append([PutQueue(Queue("other", keep=1, lease=1))])
    await scene.journal.append([PutJob(job(1, queue="other"))])
    await scene.journal.append([PutQueue(replace(MAIL, keep=7))])
    await scene.journal.close()
    frames = heads(disk)
    changed = damaged(disk, frames[0].offset, frames[2].offset)
    done = repaired(changed)
    assert (done.guessed_queues, done.nameless_queues) == ((), ("queue-1",))
    book = Scene(changed).book
    assert book.queues["mail"].keep == 7
    assert {each.queue for each in book.jobs.values()} == {"mail", "queue-1"}


async def test_a_job_whose_big_value_is_damaged_is_named_and_all_others_are_certain() -> None:
    disk = await rich_disk()
    blob = next(head for head in heads(disk) if head.type == FrameType.BLOB)
    for accept_loss in (False, True):
        changed = damaged(disk, blob.offset + 4000)
        done = repaired(changed, accept_loss=accept_loss)
        assert done.without_value == (name(7),)
        assert (done.lost, done.uncertain, done.jobs_kept) == ((), (), 4)
    await starts_with(changed, 0, 1, 2, 8)


async def test_big_values_that_are_whole_go_along() -> None:
    disk = await rich_disk()
    changed = damaged(disk, heads(disk)[0].offset)
    repaired(changed)
    scene = Scene(changed)
    content = scene.book.jobs[job(7).uid].content
    assert isinstance(content, Blob)
    assert scene.journal.read_blob(content) == b"big" * 400_000


async def test_damage_at_the_end_is_repaired() -> None:
    disk = await disk_with(3)
    changed = damaged(disk, heads(disk)[-1].offset + 140)
    done = repaired(changed)
    assert done.uncertain == (name(0), name(1))
    await starts_with(changed, 0, 1)


async def test_missing_commits_are_accepted() -> None:
    disk = await disk_with(3)
    cut = disk.kill()
    cut.put(PATH, disk.content(PATH)[: heads(disk)[1].end])
    with pytest.raises(Damaged):
        Scene(cut.kill())
    done = repaired(cut)
    assert (done.commits_missing, done.uncertain) == (2, (name(0),))
    await starts_with(cut, 0)


async def test_the_anchor_of_another_file_is_replaced() -> None:
    disk, other = await disk_with(2), await disk_with(1)
    disk.put(ANCHOR, other.content(ANCHOR))
    repaired(disk)
    await starts_with(disk, 0, 1)


async def test_two_damaged_copies_of_the_header_make_one_good_one() -> None:
    disk = await disk_with(2)
    changed = damaged(disk, 20, 100, 4096 + 70, 4096 + 490)
    assert [finding.offset for finding in repaired(changed).findings] == [0, 4096]
    await starts_with(changed, 0, 1)


async def test_a_header_that_is_damaged_at_the_same_place_twice_is_beyond_help() -> None:
    disk = await disk_with(2)
    for place in (20, 110, 180):
        changed = damaged(disk, place, 4096 + place)
        with pytest.raises(Damaged, match="db restore"):
            repaired(changed)
        assert set(changed.files) - {beside(PATH, ".lock")} == set(disk.files) - {beside(PATH, ".lock")}


async def test_a_running_server_and_a_wrong_secret_are_told() -> None:
    disk = await disk_with(1)
    with pytest.raises(WrongSecret):
        Repairing(PATH, OTHER_SECRET, files=disk, reading_files=disk).run(accept_loss=True)
    take_lock(disk, beside(PATH, ".lock"))
    with pytest.raises(Locked):
        repaired(disk)


async def test_no_crash_loses_the_original_or_leaves_half_a_repair() -> None:
    disk = await disk_with(5)
    disk = damaged(disk, heads(disk)[2].offset)
    before = disk.content(PATH)
    disk.history = []
    repaired(disk)
    random, starts = Random(4), 0
    for moment in disk.history:
        for keep in (0.0, 0.3, 0.7, 1.0):
            left = moment.crash(random, keep=keep)
            if left.content(PATH) == before:
                with pytest.raises(Damaged):
                    Scene(left)
            else:
                assert left.content(KEPT) == before
                assert len(Scene(left).book.jobs) == 4
                starts += 1
    assert starts


async def test_a_repaired_file_fits_the_old_anchor_as_well() -> None:
    disk = await disk_with(3)
    disk.put(PATH, disk.content(PATH)[: heads(disk)[1].end])
    anchor = disk.content(ANCHOR)
    repaired(disk)
    disk.put(ANCHOR, anchor)  # a crash came before the new one was on disk
    await starts_with(disk, 0)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
async def test_a_call_that_fails_loses_nothing(number: int) -> None:
    disk = await rich_disk()
    disk = damaged(disk, heads(disk)[1].offset)
    before = disk.content(PATH)
    calls = disk.kill()
    repaired(calls)
    for call in range(len(calls.calls)):
        failing = disk.kill()
        failing.failing[call] = number
        with suppress(InputOutputFailed):
            repaired(failing)
        assert before in (failing.content(PATH), KEPT in failing.files and failing.content(KEPT)), call


async def test_whatever_byte_is_damaged_the_repaired_file_starts_with_all_that_is_left() -> None:
    disk = await disk_with(4, sealed=True)
    for byte in range(0, len(disk.content(PATH)), 37):
        changed = damaged(disk, byte)
        done = repaired(changed)
        assert done.findings, byte
        assert done.jobs_kept == len(Scene(changed).book.jobs) >= 3, byte


def test_a_misspelt_name_leaves_no_lock_behind() -> None:
    disk = SimulatedDisk()
    with pytest.raises(Fatal, match="no such database file"):
        repaired(disk)
    assert not disk.files
