"""`jobengine db export`: every job as a line of JSON."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from jobengine.engine.local import LocalEngine
from jobengine.model.commands import Claim, Configure, Update
from tests.support.command import run, run_on_terminal
from tests.support.commands import create
from tests.support.server import SECRET, ServerProcess
from tests.support.stored import HOUR_MS, MAIL, fill, with_engine

BIG = b'{"big":"%b"}' % (b"x" * 2_000_000)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A file at rest with two jobs in it."""
    path = tmp_path / "jobs.queuedb"
    fill(path, b'{"marker":0}', b'{"marker":\n 1e400}')
    return path


def lines(exported: "subprocess.CompletedProcess[bytes]") -> list[Any]:
    assert exported.returncode == 0, exported.stderr
    return [json.loads(line) for line in exported.stdout.splitlines()]


def test_the_first_line_names_the_format_and_the_queues(database: Path) -> None:
    heading, *jobs = lines(run("db", "export", "--db", database, "--yes"))
    assert (heading["format"], heading["version"]) == ("jobengine-export", 1)
    assert heading["queues"] == [{"name": "mail", "keep_ms": HOUR_MS, "lease_ms": HOUR_MS, "max_attempts": 1}]
    assert len(jobs) == 2


def test_a_job_is_a_line_with_everything_that_it_has(database: Path) -> None:
    async def use(engine: LocalEngine) -> Any:
        (claimed,) = await engine.submit(Claim("mail", "reader"))
        return await engine.submit(Update("mail", claimed.uid, "owner", may_write=True, priority=70))

    job = with_engine(database, use)
    _, told, _ = lines(run("db", "export", "--db", database, "--yes"))
    assert (told["queue"], told["uid"]) == ("mail", job.uid)
    assert (told["state"], told["priority"]) == ("inprogress", 70)
    assert (told["content"], told["claimer"], told["attempt"]) == ({"marker": 0}, "reader", 1)
    times = {"created": job.created, "updated": job.updated, "expires": job.expires}
    for name, time in {**times, "lease_ends": job.lease_ends}.items():
        assert told[f"{name}_ms"] == time
        assert told[name].startswith("20")
        assert told[name].endswith(f".{time % 1000:03}+00:00")


def test_jobs_stand_in_the_order_in_which_they_are_handed_out(tmp_path: Path) -> None:
    async def use(engine: LocalEngine) -> None:
        await engine.submit(Configure((MAIL,)))
        for priority in (10, 90, 50, 90):
            await engine.submit(create("mail", b'{"p":%d}' % priority, priority, HOUR_MS))

    database = tmp_path / "jobs.queuedb"
    with_engine(database, use)
    _, *jobs = lines(run("db", "export", "--db", database, "--yes"))
    assert [job["priority"] for job in jobs] == [90, 90, 50, 10]
    assert jobs[0]["created_ms"] <= jobs[1]["created_ms"]


def test_content_is_not_rebuilt_but_for_line_breaks(database: Path) -> None:
    exported = run("db", "export", "--db", database, "--yes")
    assert b'"content":{"marker":  1e400}' in exported.stdout


def test_a_running_servers_file_is_exported_with_its_big_values(tmp_path: Path) -> None:
    with ServerProcess(tmp_path, {"limits": {"body_bytes": 4_000_000}}) as server:
        with server.service("owner") as owner:
            owner.create(json.loads(BIG))
        _, job = lines(run("db", "export", "--db", server.database, "--yes"))
        assert job["content"] == json.loads(BIG)
        assert run("db", "compact", "--db", server.database).returncode == 0
        _, again = lines(run("db", "export", "--db", server.database, "--yes"))
        assert again == job


def test_a_file_is_new_and_for_its_owner_alone(database: Path, tmp_path: Path) -> None:
    target = tmp_path / "export.jsonl"
    done = run("db", "export", target, "--db", database, "--yes", "--json")
    assert json.loads(done.stdout) == {"path": str(database), "jobs": 2, "queues": 1, "missing_commits": 0}
    assert target.stat().st_mode & 0o777 == 0o600
    assert len(target.read_bytes().splitlines()) == 3
    again = run("db", "export", target, "--db", database, "--yes")
    assert (again.returncode, b"not written over" in again.stderr) == (1, True)
    assert len(target.read_bytes().splitlines()) == 3


def test_an_export_that_is_cut_short_leaves_no_file(database: Path, tmp_path: Path) -> None:
    target = tmp_path / "export.jsonl"
    done = run("db", "export", target, "--db", database, "--yes", before=["prlimit", "--fsize=100"])
    assert done.returncode == 74
    assert not target.exists()


def test_without_a_terminal_and_without_yes_nothing_is_shown(database: Path) -> None:
    done = run("db", "export", "--db", database)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"not encrypted" in done.stderr
    assert b"--yes" in done.stderr


@pytest.mark.parametrize(("answer", "code", "is_shown"), [("y", 0, True), ("n", 1, False)])
def test_on_a_terminal_it_asks(database: Path, answer: str, code: int, is_shown: bool) -> None:
    said = run_on_terminal("db", "export", "--db", database, typed=[answer], SECRET=SECRET)
    assert (said[0], "marker" in said[1]) == (code, is_shown), said[1]


@pytest.mark.parametrize(
    ("environment", "code"), [({"SECRET": "hex:" + "00" * 32}, 77), ({"SECRET": ""}, 78), ({}, 65)]
)
def test_what_cannot_be_read_is_not_half_exported(
    database: Path, environment: dict[str, str], code: int
) -> None:
    if code == 65:
        damaged = bytearray(database.read_bytes())
        damaged[8192 + 200] ^= 1
        database.write_bytes(damaged)
    done = run("db", "export", "--db", database, "--yes", **environment)
    assert (done.returncode, done.stdout) == (code, b"")
    assert b"Traceback" not in done.stderr


def test_an_export_that_nobody_reads_on_ends_quietly(tmp_path: Path) -> None:
    path = tmp_path / "jobs.queuedb"
    fill(path, BIG, BIG)
    done = run("db", "export", "--db", path, "--yes", before=["sh", "-c", '"$@" | head -c 10', "sh"])
    assert done.stdout == b'{"format":'
    assert b"reading" not in done.stderr
    assert b"Broken pipe" not in done.stderr


def test_a_file_that_lost_its_end_is_told_of(database: Path) -> None:
    fill(database, b"{}")
    content = database.read_bytes()
    frames = content.rindex(content[8192:8196])  # the seal
    database.write_bytes(content[:frames])
    done = run("db", "export", "--db", database, "--yes")
    assert done.returncode == 0
    assert b"1 acknowledged commits are missing" in done.stderr
