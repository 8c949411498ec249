"""The journal as its callers see it, on a real disk."""

import asyncio
import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from jobengine.errors import ConfigurationWrong, InputOutputFailed, Locked, Unavailable
from jobengine.journal.journal import Journal
from jobengine.journal.keys import Secret
from jobengine.model.changes import PutQueue
from jobengine.model.queue import Queue
from tests.journal.scenes import MAIL, SECRET, WALL_MS, Book, Scene, disk_with, filled, job, put
from tests.support.disk import SimulatedDisk

MARKER = "a-name-that-someone-looks-for"


def opened(path: Path, book: Book | None = None) -> Journal:
    return Journal.open(path, SECRET, replay=(book or Book()).apply)


def started(journal: Journal) -> Journal:
    journal.start(now=lambda: WALL_MS, on_rollback=pytest.fail, on_failure=pytest.fail)
    return journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.queuedb"


async def test_what_was_appended_is_there_after_a_restart(path: Path) -> None:
    journal = started(opened(path))
    await journal.append([PutQueue(MAIL)])
    await asyncio.gather(*[journal.append(put(number)) for number in range(100)])
    assert (journal.commits, journal.records) == (2, 101)
    await journal.close()
    book = Book()
    again = opened(path, book)
    assert list(book.jobs) == [job(number).uid for number in range(100)]
    assert again.last_time == WALL_MS
    assert again.size == path.stat().st_size
    await again.close()


async def test_all_files_are_for_their_owner_only(path: Path) -> None:
    before = os.umask(0)
    try:
        journal = started(opened(path))
        await journal.append([PutQueue(MAIL)])
        await journal.close()
        with path.open("ab") as file:
            file.write(b"torn")
        await opened(path).close()
    finally:
        os.umask(before)
    modes = {file.name.split("-")[0]: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    names = ["jobs.queuedb", "jobs.queuedb.anchor", "jobs.queuedb.lock", "jobs.queuedb.torn"]
    assert modes == dict.fromkeys(names, 0o600)


async def test_nothing_can_be_read_in_the_files(path: Path) -> None:
    journal = started(opened(path))
    await journal.append([PutQueue(Queue(MARKER, 1, 2))])
    content = MARKER.encode() * 1000
    blob = await journal.write_blob(content)
    await journal.append([*put(1)[:0], PutQueue(MAIL), *put(2, content=content), *put(3, content=blob)])
    await journal.close()
    for file in path.parent.iterdir():
        data = file.read_bytes()
        assert MARKER.encode() not in data
        assert b"mail" not in data
        assert job(2).uid.encode() not in data


async def test_a_second_process_cannot_open_the_file(path: Path) -> None:
    journal = opened(path)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert str(os.getpid()) in pool.apply(refusal, (path,))
    with pytest.raises(Locked):
        opened(path)
    await journal.close()
    await opened(path).close()


def refusal(path: Path) -> str:
    """What another process is told."""
    try:
        opened(path)
    except Locked as error:
        return error.detail
    return "not refused"


async def test_a_link_to_the_file_is_the_file(path: Path) -> None:
    await opened(path).close()
    link = path.with_name("link.queuedb")
    link.symlink_to(path)
    journal = opened(path)
    with pytest.raises(Locked):
        opened(link)
    await journal.close()


async def test_a_missing_folder_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputOutputFailed, match="directory is not there; make that first") as refusal:
        opened(tmp_path / "missing" / "jobs.queuedb")
    assert "\n" not in refusal.value.detail


async def test_a_passphrase_opens_what_it_made(path: Path) -> None:
    secret = Secret.parse("correct horse")
    await Journal.open(path, secret, replay=Book().apply).close()
    await Journal.open(path, Secret.parse("correct horse"), replay=Book().apply).close()


async def test_a_malformed_secret_makes_no_file(path: Path) -> None:
    with pytest.raises(ConfigurationWrong):
        Journal.open(path, Secret.parse("hex:12"), replay=Book().apply)
    assert not path.exists()


async def test_a_closed_journal_takes_nothing() -> None:
    scene = await filled(SimulatedDisk())
    await scene.journal.close()
    late = scene.journal.append(put(9))
    with pytest.raises(Unavailable):
        await late


async def test_nothing_is_taken_before_the_start() -> None:
    journal = Scene(SimulatedDisk()).journal
    assert journal.barrier() is None
    with pytest.raises(Unavailable):
        journal.append(put(1))


async def test_closing_waits_for_what_was_appended() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk, 0)
    waiting = [scene.journal.append(put(number)) for number in range(10)]
    await scene.journal.close()
    assert all(one.done() for one in waiting)
    assert len(Scene(disk).book.jobs) == 10


async def test_a_seal_that_finds_no_room_loses_nothing() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk)
    disk.room = 0
    await scene.journal.close()
    disk.room = None
    assert len(Scene(disk).book.jobs) == 3


async def test_the_times_of_frames_do_not_run_back() -> None:
    disk = await disk_with(1)
    scene = Scene(disk)
    scene.journal.start(now=lambda: 5, on_rollback=pytest.fail, on_failure=pytest.fail)
    await scene.journal.append(put(9))
    await scene.journal.close()
    assert Scene(disk).journal.last_time == WALL_MS


async def test_the_anchor_is_synced_a_while_after_a_commit() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk)
    anchor = disk.files[Path("/simulated/jobs.queuedb.anchor")]
    assert anchor.durable != anchor.seen
    scene.journal._sync_anchor()
    await scene.journal.append(put(9))
    assert "sync" in disk.calls[-4:]
    mark_before = bytes(anchor.durable)
    await scene.journal.close()
    assert anchor.durable == anchor.seen != mark_before
