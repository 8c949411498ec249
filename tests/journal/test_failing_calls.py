"""Every file call fails once, with every error: nothing acknowledged is lost, and no lie is told."""

import errno
from random import Random

import pytest

from jobengine.errors import InputOutputFailed, JobEngineError, OutcomeUnknown, StorageFull
from jobengine.model.changes import Change, PutQueue
from tests.journal.scenes import MAIL, PATH, Book, Scene, disk_with, filled, put
from tests.support.disk import SimulatedDisk

ERRORS = [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EINTR]
STORY: list[list[Change]] = [[PutQueue(MAIL)], *[put(number) for number in range(4)]]


class Run:
    """Opens, appends, writes a big value and closes, come what may; remembers what was acknowledged."""

    def __init__(self, disk: SimulatedDisk) -> None:
        self.disk = disk
        self.acknowledged = Book()
        self.unknown: list[list[Change]] = []
        self.errors: list[JobEngineError] = []

    async def go(self) -> "Run":
        try:
            scene = Scene(self.disk).start()
        except InputOutputFailed as error:
            self.errors.append(error)
            return self
        for changes in STORY:
            await self._append(scene, changes)
            if not self.acknowledged.queues and not self.unknown:
                await self._append(scene, changes)  # undone: without the queue there are no jobs
        try:
            await scene.journal.write_blob(b"big" * 100)
        except JobEngineError as error:
            self.errors.append(error)
        try:
            await scene.journal.close()
        except InputOutputFailed as error:
            self.errors.append(error)
        assert bool(scene.failures) == any(isinstance(error, OutcomeUnknown) for error in self.errors)
        return self

    async def _append(self, scene: Scene, changes: list[Change]) -> None:
        try:
            await scene.journal.append(changes)
            self.acknowledged.apply(changes)
        except StorageFull as error:
            assert scene.rollbacks[-1] == 1
            self.errors.append(error)
        except OutcomeUnknown as error:
            self.unknown.append(changes)
            self.errors.append(error)

    def possible(self) -> list[Book]:
        """What may be in the file: all that was acknowledged, and the first of those that nobody knows of."""
        books = [self.acknowledged]
        if self.unknown:
            book = Book()
            book.apply([*self.acknowledged.snapshot(), *self.unknown[0]])
            books.append(book)
        return books


async def number_of_calls() -> int:
    disk = SimulatedDisk()
    await Run(disk).go()
    return len(disk.calls)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: errno.errorcode[error])
async def test_a_failing_call_loses_nothing(error: int) -> None:
    for number in range(await number_of_calls()):
        disk = SimulatedDisk()
        disk.failing[number] = error
        run = await Run(disk).go()
        call = disk.calls[number]
        for left in (disk.kill(), disk.crash(Random(number)), disk.crash(Random(number), keep=0)):
            assert Scene(left).book in run.possible(), (number, call)
        assert run.errors or call == "write", (number, call)


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
