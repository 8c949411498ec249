"""Logs in the file: verified, repaired, and compacted with their jobs."""

from jobengine.journal.frame import FrameType
from jobengine.journal.repair import Repaired, Repairing
from jobengine.journal.salvage import Name, Salvage
from jobengine.model.changes import AppendLog, DropJob, PutQueue
from jobengine.model.log import Chunk, Stream
from tests.journal.damage import damaged, heads, verified
from tests.journal.scenes import MAIL, PATH, SECRET, Book, Scene, compact, job, put
from tests.support.disk import SimulatedDisk

OUT, ERR = Stream.OUT, Stream.ERR


def written(number: int, *chunks: Chunk) -> list[AppendLog]:
    """A job has written these, in its first attempt."""
    return [AppendLog("mail", job(number).uid, 1, chunk) for chunk in chunks]


async def logged() -> tuple[SimulatedDisk, Book]:
    """Two jobs that have written something small and something big, one that has not; sealed."""
    disk = SimulatedDisk()
    scene = Scene(disk).start()
    await scene.journal.append([PutQueue(MAIL), *put(0), *put(1), *put(2)])
    for number in (0, 1):
        big = await scene.journal.write_blob(bytes([number]) * 100_000)
        pieces = (Chunk(OUT, 0, b"begin"), Chunk(OUT, 5, big), Chunk(ERR, 70, b"cut"))
        await scene.journal.append(written(number, *pieces))
    await scene.journal.close()
    return disk, Scene(disk.kill()).book


def repaired(disk: SimulatedDisk, *, accept_loss: bool = True) -> Repaired:
    """The outcome of a repair; of one that only looks, when the loss is not accepted."""
    return Repairing(PATH, SECRET, files=disk, reading_files=disk, wall_ms=5).run(accept_loss=accept_loss)


def plain(book: Book) -> dict[str, list[tuple[str, int, int]]]:
    """What the jobs have written, wherever it stands."""
    return {
        uid: [(chunk.stream.value, chunk.offset, chunk.end) for chunk in log.chunks]
        for uid, log in book.logs.items()
    }


async def test_a_compaction_keeps_the_logs_of_the_jobs_that_are_there() -> None:
    disk, book = await logged()
    scene = Scene(disk).start()
    gone = DropJob("mail", job(1).uid)
    await scene.journal.append([gone])
    book.apply([gone])
    await compact(scene.journal, book.snapshot())
    await scene.journal.append(written(0, Chunk(ERR, 73, b" more")))
    await scene.journal.close()
    assert verified(disk).findings == ()
    found = Scene(disk.kill()).book
    assert plain(found) == {job(0).uid: [("out", 0, 5), ("out", 5, 100_005), ("err", 70, 78)]}


async def test_a_damaged_big_piece_is_found_and_a_repair_keeps_the_job_without_its_log() -> None:
    disk, book = await logged()
    blob = next(head for head in heads(disk) if head.type == FrameType.BLOB)
    changed = damaged(disk, blob.offset + 200)
    assert verified(changed).findings
    foretold, done = repaired(changed, accept_loss=False), repaired(changed)
    assert done.without_log == foretold.without_log == (Name("mail", job(0).uid),)
    assert done.jobs_kept == foretold.jobs_kept == 3
    assert verified(changed).findings == ()
    found = Scene(changed.kill()).book
    assert sorted(found.jobs) == sorted(book.jobs)
    assert plain(found) == {job(1).uid: plain(book)[job(1).uid]}


async def test_a_repair_of_damage_elsewhere_keeps_all_logs() -> None:
    disk, book = await logged()
    scene = Scene(disk).start()
    await scene.journal.append(put(5))
    await scene.journal.append(put(6))
    await scene.journal.close()
    changed = damaged(disk, heads(disk)[-3].offset + 130)
    repaired(changed)
    found = Scene(changed.kill()).book
    assert plain(found) == plain(book)
    assert len(found.jobs) == len(book.jobs) + 1


def test_a_job_of_which_only_its_output_is_left_is_named_as_lost() -> None:
    found = Salvage()
    found.replay([PutQueue(MAIL), *written(0, Chunk(OUT, 0, b"begin"))])
    assert found.lost == {Name("mail", job(0).uid)}
