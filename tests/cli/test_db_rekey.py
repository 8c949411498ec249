"""`jobengine db rekey`: another SECRET, with the server running and at rest."""

import json
from pathlib import Path

import pytest

from tests.support.command import run, run_on_terminal
from tests.support.server import SECRET, ServerProcess
from tests.support.stored import fill, stored

NEW = "hex:" + "a5" * 32
CONTENTS = [b'{"marker":0}', b'{"marker":1}']


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A file at rest with two jobs in it."""
    path = tmp_path / "jobs.queuedb"
    fill(path, *CONTENTS)
    return path


def test_at_rest_only_the_new_secret_opens_it_afterwards(database: Path) -> None:
    done = run("db", "rekey", "--db", database, "--json", SECRET_NEW=NEW)
    assert done.returncode == 0
    assert json.loads(done.stdout)["bytes_after"] > 8192
    assert b"Before its next start" in done.stderr
    assert NEW.encode() not in done.stdout + done.stderr
    assert run("db", "rekey", "--db", database, SECRET_NEW=NEW).returncode == 77
    assert stored(database, secret=NEW) == CONTENTS


def test_a_running_server_goes_on_with_it_and_its_next_start_needs_it(database: Path) -> None:
    with ServerProcess(database.parent) as server:
        assert run("db", "rekey", "--db", database, SECRET_NEW=NEW).returncode == 0
        with server.service("owner") as owner:
            owner.create({"marker": 2})
        # Asked again, it wants the one that holds by now.
        assert run("db", "rekey", "--db", database, SECRET_NEW=NEW).returncode == 77
        assert run("db", "rekey", "--db", database, SECRET=NEW, SECRET_NEW=NEW).returncode == 0
        server.kill()
        assert SECRET not in server.log
        assert NEW not in server.log
        server.launch()
        assert server.wait() == 77
    assert stored(database, secret=NEW) == [*CONTENTS, b'{"marker": 2}']


def test_the_secrets_may_stand_in_files(database: Path, tmp_path: Path) -> None:
    new_file = tmp_path / "new"
    new_file.write_text(f"{NEW}\n")
    assert run("db", "rekey", "--db", database, SECRET_NEW_FILE=new_file).returncode == 0
    assert stored(database, secret=NEW) == CONTENTS


def test_a_passphrase_takes_the_place_of_a_key_and_a_short_one_is_warned_of(database: Path) -> None:
    done = run("db", "rekey", "--db", database, SECRET_NEW="hunter2")
    assert done.returncode == 0
    assert b"is short" in done.stderr
    assert b"hunter2" not in done.stdout + done.stderr
    assert stored(database, secret="hunter2") == CONTENTS


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"SECRET_NEW": ""}, "SECRET_NEW: is empty"),
        ({}, "make one and keep it first"),
        ({"SECRET_NEW": NEW, "SECRET_NEW_FILE": "new"}, "both are set"),
        ({"SECRET_NEW_FILE": "/nowhere"}, "SECRET_NEW_FILE: /nowhere cannot be read"),
        ({"SECRET_NEW": "hex:12"}, "SECRET_NEW: hex: must be followed by 64 hexadecimal digits"),
        ({"SECRET": "", "SECRET_NEW": NEW}, "SECRET: is empty"),
    ],
)
def test_without_a_proper_secret_it_is_78_and_one_line(
    database: Path, environment: dict[str, str], words: str
) -> None:
    before = database.read_bytes()
    done = run("db", "rekey", "--db", database, **environment)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (78, b"", 1)
    assert words.encode() in done.stderr
    assert database.read_bytes() == before


def test_on_a_terminal_it_asks_and_shows_nothing_of_what_is_typed(database: Path) -> None:
    code, shown = run_on_terminal("db", "rekey", "--db", database, typed=[SECRET, NEW, NEW])
    assert code == 0, shown
    assert SECRET not in shown
    assert NEW not in shown
    assert stored(database, secret=NEW) == CONTENTS
