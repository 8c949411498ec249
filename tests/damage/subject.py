"""A database file that holds every kind of frame, and the states that it went through."""

from random import Random
from typing import Final

from msgspec import Struct

from jobengine.errors import Damaged
from jobengine.journal.journal import Journal
from jobengine.model.blob import Blob
from jobengine.model.changes import Change, DropJob, DropQueue, PutJob, PutQueue, move
from jobengine.model.queue import Queue
from tests.journal.make_golden import claimed
from tests.journal.scenes import ANCHOR, MAIL, PATH, SECRET, WALL_MS, Book, Scene, compact, job
from tests.power.oracle import placeless
from tests.support.disk import SimulatedDisk

COMMITS: Final = {"small": 8, "middling": 80, "large": 800}
BIG_BYTES: Final = 3000
BRIEF: Final = Queue(name="brief", keep=1, lease=2)


class Opened(Struct, frozen=True):
    """What a start made of a file."""

    book: Book | None  # None: it was refused
    warnings: tuple[str, ...] = ()
    is_whole: bool = True  # every big value that a job has can be read


class Subject(Struct, frozen=True):
    """A file in good order, and its anchor."""

    name: str
    file: bytes
    mark: bytes
    states: list[Book]  # since its compaction, in order; the last one is what it holds

    def disk(self, data: bytes, *, anchored: bool) -> SimulatedDisk:
        """A disk with this file in its stead."""
        disk = SimulatedDisk()
        disk.put(PATH, data)
        if anchored:
            disk.put(ANCHOR, self.mark)
        return disk

    def opened(self, data: bytes, *, anchored: bool) -> Opened:
        """What a start makes of this file in its stead."""
        book = Book()
        disk = self.disk(data, anchored=anchored)
        try:
            journal = Journal.open(PATH, SECRET, replay=book.apply, files=disk, wall_ms=lambda: WALL_MS)
        except Damaged:
            return Opened(None)
        return Opened(_placeless(book), journal.report.warnings, _is_whole(book, journal))


async def make_subject(name: str) -> Subject:
    """A file of that size: half of its commits come before a compaction, half behind it."""
    disk, random, book = SimulatedDisk(), Random(name), Book()
    scene = Scene(disk).start()
    await _commit(scene.journal, book, [PutQueue(MAIL), PutQueue(BRIEF)])
    for _ in range(COMMITS[name] // 2):
        await _commit(scene.journal, book, await _changes(scene.journal, book, random))
    await compact(scene.journal, book.snapshot())
    states = [_placeless(book)]
    await _commit(scene.journal, book, [DropQueue(BRIEF.name)])
    for _ in range(COMMITS[name] // 2):
        states.append(_placeless(book))
        await _commit(scene.journal, book, await _changes(scene.journal, book, random))
    states.append(_placeless(book))
    await scene.journal.close()
    return Subject(name, disk.content(PATH), disk.content(ANCHOR), states)


async def _commit(journal: Journal, book: Book, changes: list[Change]) -> None:
    await journal.append(changes)
    book.apply(changes)


async def _changes(journal: Journal, book: Book, random: Random) -> list[Change]:
    """What happens next."""
    number = random.randrange(10**9)
    if len(book.jobs) > 3 and random.random() < 0.4:
        old = random.choice(list(book.jobs.values()))
        return [random.choice((DropJob(old.queue, old.uid), move(claimed(old))))]
    if random.random() < 0.2:
        return [PutJob(job(number, content=await journal.write_blob(random.randbytes(BIG_BYTES))))]
    return [PutJob(job(number, content=random.randbytes(random.randrange(300))))]


def _placeless(book: Book) -> Book:
    """A copy, wherever big values stand."""
    copy = Book()
    copy.queues, copy.jobs = dict(book.queues), {uid: placeless(job) for uid, job in book.jobs.items()}
    return copy


def _is_whole(book: Book, journal: Journal) -> bool:
    try:
        for each in book.jobs.values():
            if isinstance(each.content, Blob):
                journal.read_blob(each.content)
    except Damaged:
        return False
    return True
