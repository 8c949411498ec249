"""A crash at any moment, whatever it leaves of what was not synced, loses nothing that was acknowledged."""

from random import Random

import pytest

from jobengine.errors import StorageFull
from jobengine.journal.journal import Journal
from jobengine.model.blob import Blob
from jobengine.model.changes import Change, DropJob, PutJob, PutQueue, move
from tests.journal.make_golden import claimed
from tests.journal.scenes import MAIL, PATH, Book, Scene, compact, job, put
from tests.support.disk import SimulatedDisk

KEPT = (0.0, 0.2, 0.5, 0.8, 1.0)

STORY: list[list[Change]] = [
    [PutQueue(MAIL)],
    *[put(number, content=b"x" * 500 * number) for number in range(6)],
    [move(claimed(job(0))), DropJob("mail", job(1).uid)],
    [PutJob(job(number, content=b"y" * 300)) for number in range(10, 16)],
]


def states() -> list[dict[str, object]]:
    """What the file may hold: the story so far, after each of its commits."""
    book, after = Book(), [{}]
    for changes in STORY:
        book.apply(changes)
        after.append(dict(book.jobs))
    return after


class Told:
    """A story told to a journal: the disk at each moment, and how much was acknowledged by then."""

    def __init__(self) -> None:
        self.disk = SimulatedDisk()
        self.disk.history = []
        self.acknowledged: list[int] = []  # per commit, how many changes the disk had seen

    @property
    def moments(self) -> list[tuple[SimulatedDisk, int]]:
        """Each state of the disk with the number of commits acknowledged before."""
        history = self.disk.history or []
        return [(disk, sum(seen <= at for seen in self.acknowledged)) for at, disk in enumerate(history)]

    async def tell(self) -> None:
        """From an empty disk to a closed file, with a restart and a big value in between."""
        scene = Scene(self.disk).start()
        await self._commit(scene.journal, STORY[:5])
        await scene.journal.write_blob(b"big" * 1000)
        await scene.journal.close()
        scene = Scene(self.disk).start()
        await self._commit(scene.journal, STORY[5:])
        await scene.journal.close()

    async def _commit(self, journal: Journal, story: list[list[Change]]) -> None:
        for changes in story:
            await journal.append(changes)
            self.acknowledged.append(len(self.disk.history or []))


def recovered(disk: SimulatedDisk) -> dict[str, object]:
    """The jobs that a new start finds; then once more, after the start itself was cut by a crash."""
    first = Scene(disk).book.jobs
    assert Scene(disk.crash(Random(0), keep=0)).book.jobs == first
    return dict(first)


@pytest.fixture
async def told() -> Told:
    told = Told()
    await told.tell()
    assert len(told.acknowledged) == len(STORY)
    assert len(told.moments) > 50
    return told


@pytest.mark.parametrize("seed", range(10))
async def test_no_crash_of_the_machine_loses_what_was_acknowledged(told: Told, seed: int) -> None:
    random, possible = Random(seed), states()
    for at, (disk, acknowledged) in enumerate(told.moments):
        for keep in KEPT:
            found = recovered(disk.crash(random, keep=keep))
            assert found in possible[acknowledged : acknowledged + 2], (at, keep)


async def test_no_kill_of_the_process_loses_what_was_acknowledged(told: Told) -> None:
    possible = states()
    for at, (disk, acknowledged) in enumerate(told.moments):
        assert recovered(disk.kill()) in possible[acknowledged : acknowledged + 2], at


async def test_a_crash_while_a_torn_tail_is_mended_loses_nothing() -> None:
    disk = SimulatedDisk()
    scene = Scene(disk).start()
    for changes in STORY[:3]:
        await scene.journal.append(changes)
    torn = disk.kill()
    await scene.journal.close()
    torn.put(PATH, torn.content(PATH) + torn.content(PATH)[8192 : 8192 + 60])
    torn.history = []
    expected = Scene(torn).book.jobs
    random = Random(1)
    for moment in torn.history:
        for keep in KEPT:
            assert recovered(moment.crash(random, keep=keep)) == expected


async def test_a_crash_after_a_full_disk_finds_nothing_of_what_was_undone() -> None:
    disk = SimulatedDisk()
    scene = Scene(disk).start()
    await scene.journal.append([PutQueue(MAIL)])
    disk.history = []
    disk.room = sum(len(file.seen) for file in disk.files.values()) + 3000
    with pytest.raises(StorageFull):
        await scene.journal.append(put(1, content=b"1" * 5000))
    await scene.journal.append(put(2))
    await scene.journal.close()
    for at, moment in enumerate(disk.history):
        moment.room = None
        for seed in range(40):
            found = recovered(moment.crash(Random(seed), keep=0.8))
            assert set(found) <= {job(2).uid}, (at, seed)


async def test_a_crash_while_a_file_is_compacted_leaves_one_complete_file() -> None:
    disk, book = SimulatedDisk(), Book()
    scene = Scene(disk).start()
    blob = await scene.journal.write_blob(b"big" * 500)
    for changes in [*STORY, [PutJob(job(50, content=blob))]]:
        await scene.journal.append(changes)
    await scene.journal.close()
    again = Scene(disk).start()
    book.apply(again.book.snapshot())
    disk.history = []
    await compact(again.journal, book.snapshot())
    await again.journal.append(put(60))
    assert len(disk.history) > 12
    random = Random(2)
    for at, moment in enumerate(disk.history):
        for keep in KEPT:
            found = Scene(moment.crash(random, keep=keep))
            assert {job(60).uid} >= found.book.jobs.keys() - book.jobs.keys(), at
            for uid in book.jobs:
                assert value(found, uid) == value(again, uid), (at, uid)
            await found.start().journal.append(put(70))
            await found.journal.close()
    await again.journal.close()


def value(scene: Scene, uid: str) -> bytes:
    """The content of a job, wherever it stands."""
    content = scene.book.jobs[uid].content
    return scene.journal.read_blob(content) if isinstance(content, Blob) else content
