"""`jobengine db backup`: what it answers, and how it ends."""

from pathlib import Path

from tests.cli.databases import damage, database, db, refused, told
from tests.support.server import ServerProcess


def test_a_backup_is_a_whole_database_of_its_own(tmp_path: Path) -> None:
    path, copy = database(tmp_path), tmp_path / "copy.queuedb"
    made = told("backup", path, str(copy))
    assert made["path"] == str(copy)
    assert (made["bytes"], made["sequence"]) == (path.stat().st_size, 5)
    assert copy.read_bytes() == path.read_bytes()
    assert copy.stat().st_mode & 0o777 == 0o600
    assert told("verify", copy)["whole"]


def test_in_a_directory_it_has_a_dated_name(tmp_path: Path) -> None:
    path = database(tmp_path)
    (tmp_path / "backups").mkdir()
    made = Path(told("backup", path, str(tmp_path / "backups"))["path"])
    assert made.parent == tmp_path / "backups"
    assert made.match("jobs-20*Z.queuedb")


def test_a_running_server_is_backed_up(tmp_path: Path) -> None:
    copy = tmp_path / "copy.queuedb"
    with ServerProcess(tmp_path) as server:
        with server.service("writer") as service:
            service.create()
            told("backup", server.database, str(copy))
            service.create()
        assert server.stop() == 0
    assert told("info", copy)["jobs"] == {"mail": {"queued": 1}}


def test_refusals_leave_everything_as_it_was(tmp_path: Path) -> None:
    path, copy = database(tmp_path), tmp_path / "copy.queuedb"
    copy.write_text("precious")
    refused(db("backup", path, str(copy)), 1, "--overwrite")
    refused(db("backup", path, str(path), "--overwrite"), 1, "another name")
    refused(db("backup", path, str(tmp_path / "none" / "copy")), 74, "No such file")
    damage(path, 8192 + 5)
    refused(db("backup", path, str(copy), "--overwrite"), 65, "db verify")
    assert copy.read_text() == "precious"
    assert db("backup", path).returncode == 64


def test_what_belongs_to_the_database_is_no_name_for_a_backup(tmp_path: Path) -> None:
    path = database(tmp_path)
    anchor = tmp_path / "jobs.queuedb.anchor"
    before = anchor.read_bytes()
    refused(db("backup", path, str(anchor), "--overwrite"), 1, "a backup needs another one")
    assert anchor.read_bytes() == before
