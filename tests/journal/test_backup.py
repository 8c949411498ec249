"""A backup is a whole file, or there is none; the database itself is never touched."""

import errno
from pathlib import Path
from random import Random

import pytest

from jobengine.errors import Damaged, Fatal, InputOutputFailed
from jobengine.journal.backup import Copied, back_up
from jobengine.journal.frame import FrameType
from tests.journal.damage import damaged, heads, looked_at, rich_disk, verified
from tests.journal.scenes import ANCHOR, PATH, Scene, disk_with, filled
from tests.support.disk import SimulatedDisk

COPY = PATH.with_name("copy.queuedb")


def copied(disk: SimulatedDisk, to: Path = COPY, *, overwrite: bool = False) -> Copied:
    """A backup, made."""
    with looked_at(disk) as read:
        return back_up(read, to, files=disk, overwrite=overwrite)


def opened(disk: SimulatedDisk, path: Path = COPY) -> Scene:
    """The copy in the place of a database, opened on a machine of its own."""
    other = SimulatedDisk()
    other.put(PATH, disk.content(path))
    return Scene(other)


async def test_a_backup_opens_with_the_same_secret_and_has_all_jobs() -> None:
    disk = await rich_disk()
    made = copied(disk)
    assert disk.content(COPY) == disk.content(PATH)
    assert made.bytes == len(disk.content(PATH))
    assert disk.files[COPY].durable == disk.content(COPY)
    assert verified(disk, COPY).findings == ()
    assert opened(disk).book == Scene(disk).book


async def test_a_backup_of_a_running_server_ends_with_a_whole_frame() -> None:
    disk = SimulatedDisk()
    scene = await filled(disk)
    end = len(disk.content(PATH))
    disk.files[PATH].seen += disk.content(PATH)[8192 : 8192 + 200]  # the next frame, half written
    assert copied(disk).bytes == end
    assert len(opened(disk).book.jobs) == 3
    await scene.journal.close()


async def test_a_backup_never_replaces_a_file_unasked() -> None:
    disk = await disk_with(1)
    disk.put(COPY, b"precious")
    with pytest.raises(Fatal, match="--overwrite"):
        copied(disk)
    assert disk.content(COPY) == b"precious"
    copied(disk, overwrite=True)
    assert disk.content(COPY) == disk.content(PATH)


@pytest.mark.parametrize(("name", "to"), [("jobs.queuedb", "jobs.queuedb"), ("copy.new", "copy")])
async def test_a_backup_never_replaces_the_database(name: str, to: str) -> None:
    disk = await disk_with(1)
    database = PATH.with_name(name)
    disk.put(database, disk.content(PATH))
    before = disk.content(database)
    with looked_at(disk, database) as read, pytest.raises(Fatal, match="another name"):
        back_up(read, PATH.with_name(to), files=disk, overwrite=True)
    assert disk.content(database) == before


async def test_a_damaged_file_is_not_backed_up() -> None:
    disk = await rich_disk()
    for head in heads(disk)[:-1]:
        for byte in (head.offset + 3, head.offset + 127, head.end - 1):
            changed = damaged(disk, byte)
            with pytest.raises(Damaged):
                copied(changed)
            assert set(changed.files) == set(disk.files)


async def test_a_file_that_lacks_commits_is_not_backed_up() -> None:
    disk = await disk_with(3)
    cut = disk.kill()
    cut.put(PATH, disk.content(PATH)[: heads(disk)[1].end])
    with pytest.raises(Damaged, match="2 acknowledged commits"):
        copied(cut)
    assert set(cut.files) == set(disk.files)


async def test_a_damaged_copy_of_the_header_is_whole_in_the_backup() -> None:
    disk = damaged(await disk_with(1), 20)
    copied(disk)
    assert verified(disk, COPY).findings == ()


async def test_no_crash_leaves_half_a_backup_or_harms_the_database() -> None:
    disk = await disk_with(3, sealed=True)
    before, anchor = disk.content(PATH), disk.content(ANCHOR)
    disk.history = []
    copied(disk)
    random = Random(1)
    for moment in disk.history:
        for keep in (0.0, 0.5, 1.0):
            left = moment.crash(random, keep=keep)
            assert (left.content(PATH), left.content(ANCHOR)) == (before, anchor)
            assert COPY not in left.files or left.content(COPY) == before


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
async def test_a_call_that_fails_leaves_no_half_backup(number: int) -> None:
    disk = await disk_with(2, sealed=True)
    calls = disk.kill()
    copied(calls)
    for call in range(len(calls.calls)):
        failing = disk.kill()
        failing.failing[call] = number
        with pytest.raises(InputOutputFailed):
            copied(failing)
        assert failing.content(PATH) == disk.content(PATH)
        assert COPY not in failing.files or failing.content(COPY) == disk.content(PATH)


async def test_a_backup_holds_every_kind_of_frame() -> None:
    disk = await rich_disk()
    copied(disk)
    assert {head.type for head in heads(disk, COPY)} == set(FrameType)
