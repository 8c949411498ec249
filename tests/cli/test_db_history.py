"""`jobengine db history`: what it answers, and how it ends."""

from pathlib import Path

from tests.cli.databases import UID, database, db, told
from tests.support.server import ServerProcess


def test_every_state_of_a_job_is_told(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server:
        with server.service("writer") as writer, server.service("reader") as reader:
            uid = writer.create(priority=70)["uid"]
            reader.claim()
        (created, claimed) = told("history", server.database, "--job", uid)["events"]
        assert (created["what"], created["state"], created["priority"]) == ("created", "queued", 70)
        assert (claimed["what"], claimed["claimer"], claimed["attempt"]) == ("claimed", "reader", 1)
        assert claimed["sequence"] > created["sequence"]
        shown = db("history", server.database, "--job", uid, "--queue", "mail").stdout
        assert "inprogress, priority 70, attempt 1, claimer reader" in shown
        assert "This goes as far back as commit 0 of " in shown
        assert server.stop() == 0


def test_a_job_that_is_not_there_is_1(tmp_path: Path) -> None:
    path = database(tmp_path)
    assert told("history", path, "--job", "none", exit_code=1)["events"] == []
    assert told("history", path, "--job", UID, "--queue", "other", exit_code=1)["events"] == []
    assert db("history", path).returncode == 64
