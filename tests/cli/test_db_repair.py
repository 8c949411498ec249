"""`jobengine db repair`: what it answers, and how it ends."""

from pathlib import Path

from tests.cli.databases import damage, database, db, refused, told
from tests.support.server import ServerProcess

SECOND = 8192 + 256  # the frame of the first job


def test_a_whole_file_needs_no_repair(tmp_path: Path) -> None:
    path = database(tmp_path)
    before = path.read_bytes()
    done = told("repair", path, "--accept-loss")
    assert (done["installed"], done["findings"], done["jobs_kept"]) == (False, [], 3)
    assert path.read_bytes() == before
    assert "nothing to repair; 3 jobs" in db("repair", path).stdout


def test_damage_is_only_told_until_the_loss_is_accepted(tmp_path: Path) -> None:
    path = database(tmp_path)
    damaged = damage(path, SECOND + 5)
    done = told("repair", path, exit_code=65)
    assert (done["installed"], done["kept"], done["commits_missing"], done["jobs_kept"]) == (
        False,
        None,
        1,
        2,
    )
    finished = db("repair", path)
    assert finished.returncode == 65
    assert "Nothing was changed." in finished.stdout
    assert path.read_bytes() == damaged
    done = told("repair", path, "--accept-loss")
    assert done["installed"]
    assert Path(done["kept"]).read_bytes() == damaged
    assert told("verify", path)["whole"]
    assert told("info", path)["jobs"] == {"mail": {"queued": 2}}


def test_the_server_starts_with_a_repaired_file(tmp_path: Path) -> None:
    path = database(tmp_path)
    damage(path, SECOND + 5)
    assert db("repair", path, "--accept-loss").returncode == 0
    with ServerProcess(tmp_path) as server:
        refused(db("repair", path), 75, "in use by another process")
        assert server.stop() == 0


def test_what_is_beyond_help_says_so(tmp_path: Path) -> None:
    path = database(tmp_path)
    damage(path, 110)
    damage(path, 4096 + 110)
    refused(db("repair", path, "--accept-loss"), 65, "jobengine db restore")
