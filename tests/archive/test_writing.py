"""Directories become archives."""

import io
import os
from pathlib import Path

import pytest

from jobengine.archive.limits import ArchiveLimits
from jobengine.archive.reading import Archive
from jobengine.archive.writing import pack
from jobengine.errors import ArchiveRefused

LIMITS = ArchiveLimits(bytes=10_000, entries=5)


def packed(directory: Path, limits: ArchiveLimits = LIMITS) -> bytes:
    """The archive of a directory."""
    file = io.BytesIO()
    pack(directory, file, limits)
    return file.getvalue()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """With a program, a file further down and an empty directory."""
    made = tmp_path / "made"
    (made / "deep").mkdir(parents=True)
    (made / "empty").mkdir()
    (made / "run.sh").write_text("echo hi")
    (made / "run.sh").chmod(0o755)
    (made / "deep" / "file").write_bytes(b"content")
    return made


def test_what_is_packed_can_be_unpacked(directory: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    Archive(packed(directory), LIMITS).unpack(out)
    assert {path.relative_to(out).as_posix() for path in out.rglob("*")} == {
        "run.sh",
        "deep",
        "deep/file",
        "empty",
    }
    assert (out / "run.sh").read_text() == "echo hi"
    assert os.access(out / "run.sh", os.X_OK)


def test_the_same_files_make_the_same_archive(directory: Path) -> None:
    first = packed(directory)
    os.utime(directory / "run.sh", (1_000_000_000, 1_000_000_000))
    assert packed(directory) == first


def test_links_and_pipes_are_left_out(directory: Path) -> None:
    (directory / "link").symlink_to("/etc/passwd")
    (directory / "folder").symlink_to("/etc")
    os.mkfifo(directory / "pipe")
    assert b"passwd" not in packed(directory)
    assert b"link" not in packed(directory)
    assert b"pipe" not in packed(directory)


def test_too_many_files_are_refused(directory: Path) -> None:
    for number in range(5):
        (directory / f"{number}").touch()
    with pytest.raises(ArchiveRefused, match="more than 5 files"):
        packed(directory)


def test_too_many_bytes_are_refused(directory: Path) -> None:
    (directory / "big").write_bytes(os.urandom(20_000))
    with pytest.raises(ArchiveRefused, match="more than 10000 bytes"):
        packed(directory)


def test_a_file_whose_name_is_no_text_is_refused(directory: Path) -> None:
    (directory / os.fsdecode(b"\xff\xfe")).touch()
    with pytest.raises(ArchiveRefused, match="not UTF-8"):
        packed(directory)


def test_directories_that_lie_too_deep_are_refused(directory: Path) -> None:
    directory.joinpath(*["d"] * 66).mkdir(parents=True)
    with pytest.raises(ArchiveRefused, match="more than 64 deep"):
        packed(directory, ArchiveLimits())


def test_what_cannot_be_packed_is_not_looked_at_without_end(directory: Path) -> None:
    for number in range(60):
        (directory / f"{number}").symlink_to("/etc/passwd")
    with pytest.raises(ArchiveRefused, match="more than 5 files"):
        packed(directory)


def test_a_path_that_is_too_long_is_refused(directory: Path) -> None:
    (directory / "name").touch()
    with pytest.raises(ArchiveRefused, match="a path of over 8 bytes"):
        packed(directory, ArchiveLimits(name_bytes=8))


def test_more_bytes_than_may_be_unpacked_are_refused(directory: Path) -> None:
    (directory / "zeros").write_bytes(bytes(100_000))
    with pytest.raises(ArchiveRefused, match="have more than 50000 bytes"):
        packed(directory, ArchiveLimits(unpacked_bytes=50_000))


def test_a_directory_that_is_a_link_is_not_packed(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(directory)
    with pytest.raises(NotADirectoryError):
        packed(tmp_path / "link")


def test_files_of_somebody_else_are_left_out(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = (directory / "run.sh").stat().st_ino
    real = os.fstat

    def of_others(descriptor: int) -> os.stat_result:
        status = real(descriptor)
        changed = [*status[:4], status.st_uid + (status.st_ino == theirs), *status[5:10]]
        return os.stat_result(changed)

    monkeypatch.setattr(os, "fstat", of_others)
    assert b"run.sh" not in packed(directory)
