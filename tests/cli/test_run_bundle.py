"""`jobengine run bundle`: a directory goes, is run, and comes back; and what halts a job."""

import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import pytest

from jobengine import Client
from jobengine.cli import run_bundle
from tests.cli.broker import Terminal
from tests.support.server import ServerProcess

OPS = {"read": ["ops"], "write": ["ops"]}
RUN = {"type": "bundle", "workers": 1, **({"user": "nobody"} if os.geteuid() == 0 else {})}


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Terminal]:
    """Somebody before a broker that runs bundles."""
    with TemporaryDirectory(prefix="jobengine-runs-") as runs:
        Path(runs).chmod(0o777)
        configuration = {
            "admin": ["ops"],
            "work": {"directory": runs},
            "queues": {
                "bundles": {**OPS, "run": RUN},
                "programs": {**OPS, "run": {**RUN, "type": "shell"}},
                "idle": OPS,
            },
        }
        with ServerProcess(tmp_path, configuration) as server:
            yield Terminal(server, tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What is to be run."""
    folder = tmp_path / "work"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "in.txt").write_text("hello")
    (folder / "run.sh").write_text("cp deep/in.txt out.txt; head -c 3000000 /dev/zero > zeros")
    return folder


def test_a_directory_is_run_and_comes_back_beside_it(runner: Terminal, folder: Path) -> None:
    done = runner.type("run", "bundle", str(folder), "--queue", "bundles")
    assert done.returncode == 0, done
    uid = done.stderr.decode().removeprefix("sent as ").strip()
    first, second = done.stdout.decode().splitlines()
    assert first.startswith(f"{uid}: complete after ")
    assert second == f"4 files in {folder}.result"
    result = folder.with_name("work.result")
    assert (result / "out.txt").read_text() == "hello"
    assert (result / "zeros").stat().st_size == 3_000_000


def test_what_failed_comes_back_too_and_its_reason_is_told(runner: Terminal, folder: Path) -> None:
    (folder / "run.sh").write_text("echo partly > out.txt; exit 7")
    into = folder.with_name("elsewhere")
    done = runner.type("run", "bundle", str(folder), "--queue", "bundles", "--into", str(into), "-o", "json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["state"], told["result"]["exit_code"]) == (3, "failed", 7)
    assert told["directory"] == str(into)
    assert (into / "out.txt").read_text() == "partly\n"


def test_nothing_is_sent_that_cannot_come_back_or_be_run(runner: Terminal, folder: Path) -> None:
    folder.with_name("work.result").mkdir()
    done = runner.type("run", "bundle", str(folder), "--queue", "bundles")
    assert (done.returncode, done.stderr.count(b"is there already")) == (64, 1)
    (folder / "run.sh").unlink()
    done = runner.type("run", "bundle", str(folder), "--queue", "bundles", "--into", str(folder / "result"))
    assert (done.returncode, done.stderr.count(b"there is no run.sh")) == (64, 1)
    assert runner.ask("job", "list", "bundles") == []


def test_a_job_that_ran_for_longer_than_it_may_is_told(runner: Terminal, folder: Path) -> None:
    (folder / "run.sh").write_text("sleep 60")
    done = runner.type("run", "bundle", str(folder), "--queue", "bundles", "--timeout", "200ms")
    uid = done.stderr.decode().splitlines()[0].removeprefix("sent as ")
    assert (done.returncode, done.stdout.decode()) == (3, f"{uid}: failed: timeout\n")


def test_a_bundle_for_no_queue_is_refused_in_a_line(runner: Terminal, folder: Path) -> None:
    code, line = runner.refused("run", "bundle", str(folder), "--queue", "none")
    assert (code, line.partition(":")[0]) == (1, "not_found")


def test_a_bundle_for_a_queue_of_programs_is_told_so(runner: Terminal, folder: Path) -> None:
    done = runner.type("run", "bundle", str(folder), "--queue", "programs")
    assert (done.returncode, b"does programs run bundles?" in done.stdout) == (3, True)


def test_a_result_that_is_no_archive_is_refused_in_a_line(runner: Terminal, folder: Path) -> None:
    def complete() -> None:
        with Client(runner.url, name="ops") as client:
            (job,) = client.claim("idle", wait=10)
            client.complete(job, {"archive": "aGk=!!!"})

    with ThreadPoolExecutor(1) as threads:
        completing = threads.submit(complete)
        done = runner.type("run", "bundle", str(folder), "--queue", "idle")
        completing.result()
    assert done.returncode != 0
    assert b"its result is no archive in base64" in done.stderr.splitlines()[-1]
    assert not folder.with_name("work.result").exists()


def test_who_does_not_wait_any_more_is_told_how_to_wait_again(
    runner: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Client, "wait", mock.Mock(side_effect=KeyboardInterrupt))
    done = runner.type("run", "bundle", str(folder), "--queue", "idle")
    (job,) = runner.ask("job", "list", "idle")
    assert done.returncode == 3
    assert done.stderr.decode().splitlines() == [
        f"sent as {job['uid']}",
        f"once sent it goes on; wait for it by: jobengine job wait idle {job['uid']}",
    ]


def test_a_broker_that_is_started_again_meanwhile_is_waited_for(tmp_path: Path, folder: Path) -> None:
    with ServerProcess(tmp_path, {"queues": {"idle": OPS}}) as server, ThreadPoolExecutor(1) as threads:
        terminal = Terminal(server, tmp_path)
        running = threads.submit(terminal.type, "run", "bundle", str(folder), "--queue", "idle")
        with Client(terminal.url, name="ops") as client:
            (job,) = client.claim("idle", wait=10, lease=600)
        server.kill()
        while b"away" not in sys.stderr.buffer.getvalue():
            time.sleep(0.05)
        server.start()
        with Client(terminal.url, name="ops") as client:
            client.complete(job, {"seconds": 1.0})
        done = running.result()
    _, away, back = done.stderr.decode().splitlines()
    assert (done.returncode, done.stdout.decode()) == (0, f"{job.uid}: complete after 1.0 s\n")
    assert away.startswith("the broker is away, waiting for it: ")
    assert back.startswith("the broker is back, after ")


def test_a_broker_that_stays_away_is_given_up_and_the_job_named(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_bundle, "AWAY_SECONDS", 0.0)
    with ServerProcess(tmp_path, {"queues": {"idle": OPS}}) as server, ThreadPoolExecutor(1) as threads:
        terminal = Terminal(server, tmp_path)
        running = threads.submit(terminal.type, "run", "bundle", str(folder), "--queue", "idle")
        with Client(terminal.url, name="ops") as client:
            (job,) = client.claim("idle", wait=10, lease=600)
        server.kill()
        done = running.result()
    _, _, again, refusal = done.stderr.decode().splitlines()
    assert done.returncode == 69
    assert again == f"once sent it goes on; wait for it by: jobengine job wait idle {job.uid}"
    assert "nobody answers at" in refusal


def test_a_job_is_halted_and_resumed(runner: Terminal) -> None:
    uid = runner.ask("job", "create", "idle", "1")["uid"]
    assert runner.say("job", "halt", "idle", uid) == f"{uid}: halt: done\n"
    assert runner.type("job", "claim", "idle").returncode == 3
    assert "1 of 1 job" in runner.say("job", "resume", "idle", "--state", "queued")
    assert runner.ask("job", "claim", "idle")[0]["uid"] == uid


def test_a_long_value_is_cut_for_people_and_not_for_programs(runner: Terminal) -> None:
    uid = runner.ask("job", "create", "idle", json.dumps("x" * 5000))["uid"]
    assert "of 5000 characters" in runner.say("job", "get", "idle", uid)
    assert runner.ask("job", "get", "idle", uid)["content"] == "x" * 5000
