"""The file calls of the system."""

import os
import stat
from pathlib import Path

import pytest

from jobengine.journal.files import REAL_FILES, copy, make_new, read_all, write_all
from tests.support.disk import SimulatedDisk

SOME = Path("/simulated/some")


def test_a_new_file_is_for_its_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        REAL_FILES.close(REAL_FILES.open(tmp_path / "new", create=True))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600


def test_a_missing_file_is_not_made_unasked(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        REAL_FILES.open(tmp_path / "missing")
    assert not REAL_FILES.exists(tmp_path / "missing")


def test_what_was_written_can_be_read_cut_renamed_and_removed(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    file = REAL_FILES.open(old, create=True)
    assert REAL_FILES.write(file, b"0123456789", 2) == 10
    REAL_FILES.truncate(file, 8)
    REAL_FILES.sync(file)
    assert REAL_FILES.size(file) == 8
    assert REAL_FILES.read(file, 100, 1) == b"\x00012345"
    REAL_FILES.rename(old, new)
    REAL_FILES.sync_directory(tmp_path)
    assert (REAL_FILES.exists(old), REAL_FILES.exists(new)) == (False, True)
    REAL_FILES.close(file)
    REAL_FILES.remove(new)
    assert not REAL_FILES.exists(new)


def test_a_lock_is_held_until_its_file_is_closed(tmp_path: Path) -> None:
    first = REAL_FILES.open(tmp_path / "lock", create=True)
    second = REAL_FILES.open(tmp_path / "lock")
    assert REAL_FILES.lock(first)
    assert not REAL_FILES.lock(second)
    REAL_FILES.close(first)
    assert REAL_FILES.lock(second)
    REAL_FILES.close(second)


def test_descriptors_are_not_inherited(tmp_path: Path) -> None:
    file = REAL_FILES.open(tmp_path / "file", create=True)
    assert not os.get_inheritable(file)
    REAL_FILES.close(file)


def test_the_machine_can_be_asked_for_its_room_and_its_boot(tmp_path: Path) -> None:
    assert REAL_FILES.free_bytes(tmp_path) > 0
    assert len(REAL_FILES.boot_id()) == 16
    assert REAL_FILES.boot_id() == REAL_FILES.boot_id()


def test_short_writes_are_continued() -> None:
    disk = SimulatedDisk()
    file = disk.open(SOME, create=True)
    disk.short = set(range(1, 5))
    write_all(disk, file, b"0123456789" * 10, 3)
    assert disk.content(SOME) == b"\0\0\0" + b"0123456789" * 10
    assert disk.calls.count("write") == 5


def test_a_write_that_writes_nothing_is_an_error() -> None:
    disk = SimulatedDisk()
    file = disk.open(SOME, create=True)
    disk.short = set(range(100))
    with pytest.raises(OSError, match="wrote nothing"):
        write_all(disk, file, b"0123456789", 0)


def test_reading_ends_at_the_end() -> None:
    disk = SimulatedDisk()
    disk.put(SOME, b"0123456789")
    assert read_all(disk, disk.open(SOME), 100, 4) == b"456789"


def test_a_copy_is_the_same_to_the_byte_and_no_longer() -> None:
    disk = SimulatedDisk()
    disk.put(SOME, os.urandom(3 * 1024 * 1024))
    target = SOME.with_name("copy")
    copy(disk, disk.open(SOME), make_new(disk, target), 2_500_000)
    assert disk.content(target) == disk.content(SOME)[:2_500_000]


def test_a_leftover_is_no_part_of_a_new_file() -> None:
    disk = SimulatedDisk()
    disk.put(SOME, b"left over")
    make_new(disk, SOME)
    assert disk.content(SOME) == b""
