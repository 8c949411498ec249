"""Every file call fails once, with every error: nothing acknowledged is lost, and no lie is told."""

import errno

import pytest

from jobengine.errors import InputOutputFailed, OutcomeUnknown, StorageFull
from jobengine.model.changes import PutQueue
from tests.journal.failing import ERRORS, NO_ROOM, Run, fail, number_of_calls
from tests.journal.scenes import MAIL, PATH, Scene, disk_with, filled, put
from tests.support.disk import SimulatedDisk


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: errno.errorcode[error])
async def test_a_failing_call_loses_nothing(error: int) -> None:
    for number in range(await number_of_calls()):
        run = await fail({number: error})
        call = run.disk.calls[number]
        # What found no room is written again, and an old file that was not removed harms nobody.
        harmless = ("write", "names") if error in NO_ROOM else ("names",)
        assert run.errors or call in harmless, (number, call)


async def test_short_writes_change_nothing() -> None:
    disk = SimulatedDisk()
    disk.short = set(range(0, 1000, 2))
    run = await Run(disk).go()
    assert not run.errors
    assert Scene(disk).book == run.acknowledged


async def test_a_failed_sync_is_never_tried_again() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk)
    disk.failing[len(disk.calls) + 1] = errno.EIO
    lost = scene.journal.append(put(9))
    with pytest.raises(OutcomeUnknown):
        await lost
    calls = len(disk.calls)
    for refused in (scene.journal.append(put(10)), scene.journal.barrier()):
        assert refused is not None
        assert isinstance(refused.exception(), OutcomeUnknown)
    await scene.journal.close()
    assert disk.calls[calls:] == []
    assert [failure.exit_code for failure in scene.failures] == [74]


async def test_a_full_disk_leaves_the_file_as_it_was_and_is_tried_again() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk)
    before = disk.content(PATH)
    disk.room = sum(len(file.seen) for file in disk.files.values()) + 700
    for _ in range(3):
        with pytest.raises(StorageFull):
            await scene.journal.append(put(9, content=b"9" * 2000))
        assert disk.content(PATH) == disk.files[PATH].durable == before
    await scene.journal.append(put(10))
    disk.room = None
    await scene.journal.append(put(11))
    await scene.journal.close()
    assert len(scene.rollbacks) == 3
    assert len(Scene(disk).book.jobs) == 5


async def test_a_big_value_that_finds_no_room_undoes_nothing() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk)
    disk.room = sum(len(file.seen) for file in disk.files.values()) + 2000
    with pytest.raises(StorageFull):
        await scene.journal.write_blob(b"9" * 5000)
    await scene.journal.append(put(10))
    await scene.journal.close()
    assert scene.rollbacks == []
    assert len(Scene(disk).book.jobs) == 4


async def test_a_queue_that_was_undone_can_be_put_again() -> None:
    disk = SimulatedDisk()
    scene = Scene(disk).start()
    disk.failing[len(disk.calls)] = errno.ENOSPC
    with pytest.raises(StorageFull):
        await scene.journal.append([PutQueue(MAIL)])
    await scene.journal.append([PutQueue(MAIL)])
    await scene.journal.append(put(1))
    await scene.journal.close()
    assert len(Scene(disk).book.jobs) == 1


async def test_a_start_that_failed_can_be_tried_again() -> None:
    sealed = await disk_with(3, sealed=True)
    calls = sealed.kill()
    Scene(calls)
    for number in range(len(calls.calls)):
        disk = sealed.kill()
        disk.failing[number] = errno.EIO
        with pytest.raises(InputOutputFailed):
            Scene(disk)
        assert len(Scene(disk).book.jobs) == 3
