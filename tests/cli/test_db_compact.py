"""`jobengine db compact`: through the server when one runs, else at rest."""

import asyncio
import json
import os
from pathlib import Path
from unittest.mock import Mock, patch

import pytest

from jobengine.cli.db import rewriting
from jobengine.cli.db.rewriting import rewrite
from jobengine.control.address import socket_path
from jobengine.control.client import Control
from jobengine.control.protocol import Compact, Rekey
from jobengine.errors import Interrupted
from jobengine.journal.files import REAL_FILES, beside, old_path, old_paths
from jobengine.journal.header import read_header
from tests.support.command import run
from tests.support.server import SECRET, ServerProcess
from tests.support.stored import fill, stored

NOBODY = 65534
CONTENTS = [b'{"marker":0}', b'{"marker":1}']


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A file at rest with two jobs in it, and many commits that are of no use any more."""
    path = tmp_path / "jobs.queuedb"
    fill(path, *CONTENTS, commits=30)
    return path


def shown(server: ServerProcess) -> list[bytes]:
    with server.service("owner") as owner:
        return [json.dumps(job["content"]).replace(" ", "").encode() for job in owner.jobs().values()]


def test_a_file_at_rest_is_smaller_and_holds_the_same_jobs(database: Path) -> None:
    before = database.stat().st_size
    done = run("db", "compact", "--db", database, "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    told = json.loads(done.stdout)
    assert (told["path"], told["bytes_before"]) == (str(database), before)
    # Closing puts a seal behind it.
    assert told["bytes_after"] < database.stat().st_size < before
    assert stored(database) == CONTENTS


def test_a_running_server_does_it_and_needs_no_secret_for_that(database: Path) -> None:
    with ServerProcess(database.parent) as server:
        before = database.stat()
        done = run("db", "compact", "--db", database, SECRET="the command need not know it")
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.startswith(f"{database}: written anew in ".encode())
        after = database.stat()
        assert after.st_ino != before.st_ino
        assert after.st_size < before.st_size
        assert shown(server) == CONTENTS
        assert socket_path(database).stat().st_mode & 0o777 == 0o600
        assert server.stop() == 0
    assert not socket_path(database).exists()
    assert stored(database) == CONTENTS


def test_a_server_that_cannot_be_reached_is_75_and_says_what_to_do(database: Path) -> None:
    with ServerProcess(database.parent) as server:
        socket_path(database).unlink()
        done = run("db", "compact", "--db", database)
        assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (75, b"", 1)
        assert f"pid {server.server_pid}".encode() in done.stderr
        assert b"stop it first" in done.stderr


def test_a_killed_server_leaves_a_file_that_is_compacted_at_rest(database: Path) -> None:
    with ServerProcess(database.parent) as server:
        server.kill()
    assert socket_path(database).exists()
    assert run("db", "compact", DB_PATH=database).returncode == 0
    assert stored(database) == CONTENTS


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    done = run("db", "compact", "--db", tmp_path / "none.queuedb")
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_secret_is_77_and_changes_nothing(database: Path) -> None:
    before = database.read_bytes()
    done = run("db", "compact", "--db", database, SECRET="hex:" + "00" * 32)
    assert (done.returncode, done.stderr.count(b"\n")) == (77, 1)
    assert database.read_bytes() == before


def test_a_disk_without_room_is_74_and_the_old_file_stays(database: Path) -> None:
    fill(database, b'{"big":"%b"}' % (b"x" * 10_000))
    before = database.read_bytes()
    done = run("db", "compact", "--db", database, before=["prlimit", "--fsize=9000"])
    assert (done.returncode, done.stderr.count(b"\n")) == (74, 1)
    assert b"the old one stays in use" in done.stderr
    assert database.read_bytes() == before


def test_old_files_that_are_there_are_not_removed_at_rest(database: Path) -> None:
    old = [old_path(database, sequence) for sequence in (1, 2, 3)]
    for each in old:
        each.write_bytes(b"kept")
    assert run("db", "compact", "--db", database).returncode == 0
    assert [each.exists() for each in old] == [False, True, True]
    assert len(old_paths(REAL_FILES, database)) == 3


def test_at_rest_as_many_old_files_are_kept_as_the_configuration_says(database: Path, tmp_path: Path) -> None:
    configuration = tmp_path / "config.yml"
    configuration.write_text("queues: {}\ndatabase: {keep_old_files: 2}\n")
    for _ in range(3):
        assert run("db", "compact", "--db", database, CONFIG_PATH=configuration).returncode == 0
    assert len(old_paths(REAL_FILES, database)) == 2


def test_what_root_writes_anew_belongs_to_whom_it_belonged_before(database: Path) -> None:
    os.chown(database, NOBODY, NOBODY)
    assert run("db", "compact", "--db", database).returncode == 0
    assert database.stat().st_uid == NOBODY
    assert beside(database, ".anchor").stat().st_uid == NOBODY


@pytest.mark.parametrize(
    ("question", "words"), [(Compact(), "age of the data key"), (Rekey("old", "new"), "keep both SECRETs")]
)
def test_who_presses_ctrl_c_learns_that_the_server_goes_on(
    database: Path, question: Compact | Rekey, words: str
) -> None:
    control = Mock(spec=Control)
    control.ask.side_effect = KeyboardInterrupt
    with patch.object(Control, "reach", return_value=control), pytest.raises(Interrupted, match=words):
        rewrite(database, question, secret=lambda: SECRET)


def test_ctrl_c_at_rest_leaves_the_old_file_in_use(database: Path) -> None:
    before = read_header(database.read_bytes())[0].file_id

    async def cancel(*_: object, **__: object) -> None:
        raise asyncio.CancelledError

    with (
        patch.object(rewriting.asyncio, "wait", cancel),
        pytest.raises(Interrupted, match="the old file stays in use"),
    ):
        rewrite(database, Compact(), secret=lambda: SECRET)
    assert read_header(database.read_bytes())[0].file_id == before
