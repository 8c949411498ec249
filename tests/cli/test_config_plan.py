"""`jobengine config plan`: what an edit would do to the running server."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import run
from tests.support.server import QUEUES, ServerProcess


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """It has one queue, with two jobs in it."""
    with ServerProcess(tmp_path_factory.mktemp("server")) as running, running.service("owner") as owner:
        owner.create()
        owner.create()
        yield running


def edited(server: ServerProcess, configuration: object) -> Path:
    path = server.database.with_name("edited.yml")
    path.write_text(json.dumps(configuration))
    return path


def test_an_edit_is_told_line_by_line_and_nothing_is_changed(server: ServerProcess) -> None:
    new = {"queues": {"new": {"read": [], "write": []}}, "admin": ["ops"], "port": 7000}
    done = run("config", "plan", edited(server, new), "--db", server.database)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().splitlines() == [
        "queue new: would be added",
        "queue mail: would be dropped, and 2 jobs with it",
        "server: ops would gain the right to admin",
        "port: differs, and would be taken up only by a restart",
    ]
    with server.service("owner") as owner:
        assert len(owner.jobs()) == 2


def test_settings_and_rights_of_a_queue_are_compared(server: ServerProcess) -> None:
    mail = {"read": ["owner"], "write": ["writer", "owner", "boss"], "job_keep_minutes": 5}
    done = run("config", "plan", edited(server, {"queues": {"mail": mail}}), "--db", server.database)
    assert done.stdout.decode().splitlines() == [
        "queue mail: job_keep_minutes 60 -> 5",
        "queue mail: reader would lose the right to read",
        "queue mail: boss would gain the right to write",
    ]


def test_programs_get_one_document(server: ServerProcess) -> None:
    path = edited(server, {"queues": {}})
    done = run("config", "plan", path, "--json", DB_PATH=server.database)
    told = json.loads(done.stdout)
    assert told["dropped"] == {"mail": 2}
    assert (told["added"], told["changed"], told["rights_lost"], told["needs_restart"]) == ([], [], [], [])


def test_the_configuration_that_holds_would_change_nothing(server: ServerProcess) -> None:
    done = run("config", "plan", DB_PATH=server.database, CONFIG_PATH=server.configuration)
    assert (done.returncode, done.stdout) == (0, b"Nothing would change.\n")


def test_what_was_taken_up_while_it_runs_is_what_an_edit_is_compared_with(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server:
        server.configure({"queues": {**QUEUES, "later": {"read": [], "write": []}}})
        server.wait_for("configuration_taken_up")
        done = run("config", "plan", edited(server, {"queues": QUEUES}), "--db", server.database)
        assert done.stdout == b"queue later: would be dropped, and 0 jobs with it\n"


def test_mistakes_are_78_and_a_line_each(server: ServerProcess) -> None:
    path = edited(server, {"prot": 1, "admin": 5, "queues": {}})
    done = run("config", "plan", path, "--db", server.database)
    assert (done.returncode, done.stdout) == (78, b"")
    assert [line.startswith(f"{path}:1: ") for line in done.stderr.decode().splitlines()] == [True, True]


def test_without_a_server_it_is_69(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text("queues: {}")
    done = run("config", "plan", path, "--db", tmp_path / "jobs.queuedb")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (69, b"", 1)


def test_a_configuration_that_is_not_there_is_78(tmp_path: Path) -> None:
    assert run("config", "plan", tmp_path / "none.yml").returncode == 78
