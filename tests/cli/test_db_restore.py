"""`jobengine db restore`: what it answers, and how it ends."""

import errno
from pathlib import Path

import pytest

from jobengine.journal.files import RealFiles
from tests.cli.databases import database, db, refused, told
from tests.support.server import ServerProcess


def test_a_restored_copy_serves_at_once(tmp_path: Path) -> None:
    path, copy = tmp_path / "jobs.queuedb", tmp_path / "copy.queuedb"
    with ServerProcess(tmp_path) as server:
        with server.service("writer") as service:
            first = service.create()["uid"]
            told("backup", path, str(copy))
            service.create()
        refused(db("restore", path, str(copy), "--overwrite"), 75, "in use by another process")
        assert server.stop() == 0
    refused(db("restore", path, str(copy)), 1, "--overwrite")
    done = told("restore", path, str(copy), "--overwrite")
    assert Path(done["kept"]).name.startswith("jobs.queuedb.before-restore-")
    with ServerProcess(tmp_path) as server:
        with server.service("reader") as service:
            assert [job["uid"] for job in service.jobs().values()] == [first]
        assert server.events("recovered") == []
        assert server.stop() == 0


@pytest.mark.parametrize(
    ("until", "sequence"), [("3", 3), ("2024-01-01", 5), ("2023-11-14T22:13:20+00:00", 5)]
)
def test_the_file_goes_back_to_a_moment_and_says_which(tmp_path: Path, until: str, sequence: int) -> None:
    path = database(tmp_path)
    done = told("restore", path, "--until", until, "--overwrite")
    assert (done["sequence"], done["source"], done["reaches_back_to"]["sequence"]) == (sequence, str(path), 0)
    assert told("info", path)["jobs"]["mail"] == {"queued": min(sequence - 1, 3)}


def test_what_cannot_be_reached_or_read_is_told(tmp_path: Path) -> None:
    path = database(tmp_path)
    before = path.read_bytes()
    refused(db("restore", path, "--until", "2020-01-01", "--overwrite"), 1, "as far back as it goes")
    refused(db("restore", path, str(tmp_path / "none"), "--overwrite"), 1, "no such database file")
    for wrong in ("yesterday", "9" * 5000, "2999-01-01"):
        assert db("restore", path, "--until", wrong, "--overwrite").returncode == 64
    refused(db("restore", path, "--until", "7", "--overwrite"), 1, "no commit 7")
    assert path.read_bytes() == before
    assert "out of jobs.queuedb" in db("restore", path, "--overwrite").stdout


def test_a_misspelt_name_leaves_nothing_behind(tmp_path: Path) -> None:
    refused(db("restore", tmp_path / "jbos.queuedb", "--overwrite"), 1, "no such database file")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_secret_names_the_copy_and_says_which_one_opens_it(tmp_path: Path) -> None:
    path = database(tmp_path)
    copy = tmp_path / "copy.queuedb"
    assert db("backup", path, str(copy)).returncode == 0
    finished = db("restore", path, str(copy), "--overwrite", secret="hex:" + "00" * 32)
    refused(finished, 77, f"{copy}: SECRET does not open")
    assert "copies from before a rekey open with the SECRET of then" in finished.stderr


def test_a_disk_without_room_is_told_and_not_the_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = database(tmp_path)
    copy = tmp_path / "copy.queuedb"
    assert db("backup", path, str(copy)).returncode == 0

    def write(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(RealFiles, "write", write)
    refused(db("restore", path, str(copy), "--overwrite"), 74, f"writing {path}.new failed: No space left")


def test_what_a_compaction_left_behind_is_not_written_over_while_it_is_read(tmp_path: Path) -> None:
    path = database(tmp_path)
    left = tmp_path / "jobs.queuedb.new"
    assert db("backup", path, str(tmp_path / "copy")).returncode == 0
    (tmp_path / "copy").rename(left)
    before = left.read_bytes()
    refused(db("restore", path, str(left), "--overwrite"), 1, "give it another name first")
    assert left.read_bytes() == before
