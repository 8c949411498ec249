"""Queues that are made by the API, over the life of a server."""

import time
from pathlib import Path

import pytest

from tests.cli.broker import CONFIGURATION, Terminal
from tests.support.command import run
from tests.support.server import ServerProcess


@pytest.fixture
def server(tmp_path: Path) -> ServerProcess:
    return ServerProcess(tmp_path, CONFIGURATION)


def make_letters(server: ServerProcess, place: Path) -> Terminal:
    """A queue made by the API, with a job in it."""
    terminal = Terminal(server, place)
    terminal.say("queue", "set", "letters", "read=[ops]", "write=[ops]")
    terminal.say("job", "create", "letters", "1")
    return terminal


def wait_for_queue(server: ServerProcess, name: str) -> None:
    """Until the server has taken it up, which has to be soon."""
    deadline = time.monotonic() + 10
    while name not in [event["queue"] for event in server.events("queue_added")]:
        assert time.monotonic() < deadline, server.log
        time.sleep(0.01)


def test_a_queue_and_its_jobs_outlive_a_restart(server: ServerProcess, tmp_path: Path) -> None:
    with server:
        terminal = make_letters(server, tmp_path)
        assert server.stop() == 0
        server.start()
        assert terminal.ask("queue", "info", "letters")["jobs"]["queued"] == 1
        assert terminal.ask("queue", "info", "letters")["from"] == "api"


def test_a_file_that_is_taken_away_drops_its_queue_and_a_written_one_makes_it(
    server: ServerProcess, tmp_path: Path
) -> None:
    file = tmp_path / "config.d" / "letters.yml"
    with server:
        terminal = make_letters(server, tmp_path)
        terminal.say("queue", "purge", "letters", "--yes")
        file.unlink()
        assert server.wait_for("queue_dropped")["queue"] == "letters"
        (tmp_path / "config.d" / "parcels.yml").write_text("read: [ops]\nwrite: [ops]\n")
        wait_for_queue(server, "parcels")
        assert terminal.ask("queue", "info", "parcels")["from"] == "configuration"
        assert terminal.refused("queue", "drop", "parcels", "--yes")[1].startswith("bad_state: ")


def test_a_server_does_not_start_when_the_queues_of_the_api_are_not_there(
    server: ServerProcess, tmp_path: Path
) -> None:
    with server:
        terminal = make_letters(server, tmp_path)
        server.stop()
        (tmp_path / "config.d").rename(tmp_path / "elsewhere")
        server.launch()
        assert server.process.wait(30) == 78
        assert "config.d: is not there, but queues of it have jobs (letters)" in server.log
        (tmp_path / "elsewhere").rename(tmp_path / "config.d")
        server.start()
        assert terminal.ask("queue", "info", "letters")["jobs"]["queued"] == 1


def test_a_plan_counts_the_queues_that_have_files(server: ServerProcess, tmp_path: Path) -> None:
    with server:
        make_letters(server, tmp_path)
        done = run("config", "plan", DB_PATH=server.database, CONFIG_PATH=server.configuration)
        assert (done.returncode, done.stdout) == (0, b"Nothing would change.\n")
        done = run("config", "check", CONFIG_PATH=server.configuration)
        assert done.stdout.endswith(b": fine: 5 queues\n")


def test_a_plan_without_the_directory_says_what_the_server_would(
    server: ServerProcess, tmp_path: Path
) -> None:
    with server:
        make_letters(server, tmp_path)
        (tmp_path / "config.d").rename(tmp_path / "elsewhere")
        done = run("config", "plan", DB_PATH=server.database, CONFIG_PATH=server.configuration)
        assert done.returncode == 78
        assert b"config.d: is not there, but queues of it have jobs (letters)" in done.stderr
        (tmp_path / "elsewhere").rename(tmp_path / "config.d")
