"""`jobengine db repair`: what it answers, and how it ends."""

import os
from pathlib import Path

from tests.cli.databases import damage, database, db, refused, told
from tests.support.server import ServerProcess
from tests.support.stored import fill

SECOND = 8192 + 256  # the frame of the first job
NOBODY = 65534


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


def test_jobs_of_a_queue_that_lost_its_name_survive_the_next_start_once_it_is_given(tmp_path: Path) -> None:
    path = tmp_path / "jobs.queuedb"
    fill(path, b"{}", b"{}", b"{}")
    damage(path, 8192 + 5)  # the frame that names the queue
    said = db("repair", path).stdout
    assert "Queue number 0: its name is lost, so its jobs are kept as queue-0." in said
    assert "the next start sets them" not in said
    refused(db("repair", path, "--name", "queue-7=mail"), 1, "queue-7: no queue")
    assert db("repair", path, "--name", "mail").returncode == 64
    assert db("repair", path, "--accept-loss", "--name", "queue-0=mail").returncode == 0
    with ServerProcess(tmp_path) as server:
        assert server.stop() == 0
    assert told("info", path)["jobs"]["mail"] == {"queued": 3}


def test_info_shows_no_commits_where_a_repair_left_none(tmp_path: Path) -> None:
    path = database(tmp_path)
    damage(path, SECOND + 5)
    assert db("repair", path, "--accept-loss").returncode == 0
    assert "None" not in db("info", path).stdout


def test_what_root_repairs_belongs_to_whom_it_belonged_before(tmp_path: Path) -> None:
    path = database(tmp_path)
    damage(path, SECOND + 5)
    for each in tmp_path.iterdir():
        os.chown(each, NOBODY, NOBODY)
    (tmp_path / "jobs.queuedb.anchor").unlink()
    assert db("repair", path, "--accept-loss").returncode == 0
    assert {each.stat().st_uid for each in tmp_path.iterdir()} == {NOBODY}
