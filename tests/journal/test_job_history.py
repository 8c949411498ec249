"""What became of one job can be told, as far back as the file and the kept old ones reach."""

import pytest
from msgspec.structs import replace

from jobengine.errors import Damaged
from jobengine.journal.job_history import JobHistory, job_history
from jobengine.model.changes import DropJob, DropQueue, PutJob, PutQueue, move
from jobengine.model.job import Job, order_of
from jobengine.model.states import State
from tests.journal.damage import damaged, heads
from tests.journal.scenes import MAIL, PATH, SECRET, WALL_MS, Scene, compact, disk_with, job, put
from tests.support.disk import SimulatedDisk


def told(disk: SimulatedDisk, number: int = 0, queue: str | None = None) -> JobHistory:
    """The history of a job."""
    return job_history(PATH, SECRET, job(number).uid, queue=queue, files=disk)


def claimed() -> Job:
    return replace(job(0), state=State.INPROGRESS, claimer="printer", attempt=1, lease_ends=WALL_MS + 10)


async def lived(*, keep_old_files: int | None = None) -> SimulatedDisk:
    """A file in which a job is claimed, given back, claimed, completed and deleted."""
    disk = SimulatedDisk()
    scene = Scene(disk, keep_old_files=keep_old_files or 0).start()
    await scene.journal.append([PutQueue(MAIL)])
    await scene.journal.append([*put(0), *put(1)])
    await scene.journal.append([move(claimed())])
    if keep_old_files is not None:
        await compact(scene.journal, [PutQueue(MAIL), *put(1), PutJob(claimed())])
    await scene.journal.append([move(replace(job(0), attempt=1))])
    await scene.journal.append([move(replace(claimed(), attempt=2))])
    await scene.journal.append([move(replace(claimed(), attempt=2, state=State.COMPLETE))])
    await scene.journal.append([DropJob("mail", job(0).uid)])
    await scene.journal.close()
    return disk.kill()


LIFE = ["created", "claimed", "put back", "claimed", "completed", "deleted, or kept long enough"]


async def test_every_state_of_a_job_is_told_in_order() -> None:
    found = told(await lived())
    assert [event.what for event in found.events] == LIFE
    assert [event.sequence for event in found.events] == [2, 3, 4, 5, 6, 7]
    assert [event.job and event.job.state for event in found.events] == [
        State.QUEUED,
        State.INPROGRESS,
        State.QUEUED,
        State.INPROGRESS,
        State.COMPLETE,
        None,
    ]
    assert found.events[1].job == claimed()
    assert found.reaches_back_to.sequence == 0


async def test_a_kept_old_file_tells_what_was_before_the_compaction() -> None:
    found = told(await lived(keep_old_files=1))
    assert [event.what for event in found.events] == LIFE
    assert found.reaches_back_to.sequence == 0


async def test_without_the_old_file_the_history_begins_with_the_compaction() -> None:
    found = told(await lived(keep_old_files=0))
    assert [event.what for event in found.events] == ["found by a compaction", *LIFE[2:]]
    assert found.events[0].job == claimed()
    assert found.events[0].sequence == found.reaches_back_to.sequence


async def test_changes_of_content_and_priority_are_told_apart() -> None:
    disk = await disk_with(1)
    scene = Scene(disk).start()
    await scene.journal.append([PutJob(job(0, content=b"2"))])
    await scene.journal.append(
        [PutJob(replace(job(0, content=b"2"), order=order_of(priority=60, arrival=0)))]
    )
    await scene.journal.append([DropQueue("mail")])
    await scene.journal.close()
    assert [event.what for event in told(disk).events] == [
        "created",
        "content changed",
        "priority changed",
        "gone with its queue",
    ]


async def test_a_job_that_is_not_in_the_file_has_no_history() -> None:
    disk = await lived()
    assert told(disk, 5).events == ()
    assert told(disk, 0, "other").events == ()
    assert len(told(disk, 0, "mail").events) == len(LIFE)


async def test_a_damaged_file_tells_no_history() -> None:
    disk = await lived()
    with pytest.raises(Damaged):
        told(damaged(disk, heads(disk)[2].offset))
