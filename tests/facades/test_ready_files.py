"""The ready configurations: each is the older system, with its own clients, and runs its jobs."""

import base64
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from jobengine.access.issuing import issue_ca, issue_client, issue_server
from tests.support.connection import Connection, request
from tests.support.ports import free_port
from tests.support.server import ServerProcess

PROJECT = Path(__file__).parents[2]
JSON = ("-H", "Content-Type: application/json")
SOON_SECONDS = 30.0


@contextmanager
def ready(place: Path, name: str, environment: Mapping[str, str] | None = None) -> Iterator[ServerProcess]:
    """A server with a ready configuration, as it is."""
    server = ServerProcess(place, {}, environment=environment)
    server.configuration.write_text((PROJECT / "config" / name).read_text())
    with server:
        yield server
        assert server.stop() == 0, server.log
        assert "Traceback" not in server.log


def curl(*arguments: str) -> bytes:
    """What curl gets, for its user to see."""
    return subprocess.run(
        ["curl", "-sS", "--max-time", "30", *arguments], check=True, capture_output=True
    ).stdout


def curled(*arguments: str) -> Any:
    """What curl gets, as JSON."""
    return json.loads(curl(*arguments))


def eventually(ask: Any, is_so: Any) -> Any:
    """What is told as soon as it is so."""
    end = time.monotonic() + SOON_SECONDS
    while not is_so(told := ask()):
        assert time.monotonic() < end, told
    return told


def zipped(**files: str) -> str:
    """A zip of these, in base64."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("_", "."), text)
    return base64.b64encode(written.getvalue()).decode()


def test_jobd_runs_what_is_uploaded(tmp_path: Path) -> None:
    with ready(tmp_path, "jobd.yml") as server:
        at = f"http://localhost:{server.port}/api"
        job = {
            "ID": "first",
            "Input": zipped(run_sh="#!/bin/sh\ntr a-z A-Z <input.txt >out.txt\n", input_txt="hello"),
        }
        assert curled(*JSON, f"{at}/upload", "-d", json.dumps(job))["Status"] == "Pending"
        told = eventually(
            lambda: curled(f"{at}/get/first"), lambda job: job["Status"] in ("Completed", "Failed")
        )
        assert told["Status"] == "Completed", told["Message"] or told
        archive = curl(f"{at}/download/first")
        assert base64.b64decode(told["Output"]) == archive
        with zipfile.ZipFile(io.BytesIO(archive)) as left:
            assert left.read("out.txt") == b"HELLO"


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """Where `nobody` may read, too: not below pytest's own, which each run of it closes to others."""
    with TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


def test_jobrunner_answers_what_its_command_says(tmp_path: Path, open_directory: Path) -> None:
    script = open_directory / "command"
    script.write_text(
        'cat "$JOBRUNNER_REQUEST_DATA_FN"\necho "$JOBRUNNER_REQUEST_ID" >&2\n'
        'echo here >"$JOBRUNNER_RESPONSE_DATA_FN"\nexit 3\n'
    )
    environment = {
        "JOBRUNNER_CMD": f"/bin/sh {script}",
        "JOBRUNNER_PASSWORD": "pass word",
        "JOBRUNNER_NUM_WORKERS": "2",
    }
    said = ("-H", "X-JR-PASSWORD: pass word")
    with ready(tmp_path, "jobrunner.yml", environment) as server:
        at = f"localhost:{server.port}"
        answer = curled(
            "-L", "--post302", "--post301", "-X", "POST", *JSON, *said,
            f"{at}/payload", "--data", '{"data":"a29rbzEyMzQK", "id":"1235"}',
        )  # fmt: skip
        assert base64.b64decode(answer["output"]) == b"koko1234\n"
        assert base64.b64decode(answer["error"]) == b"1235\n"
        assert base64.b64decode(answer["data"]) == b"here\n"
        assert (answer["exit_status"], answer["worker_id"]) == (3, 1)
        status = curled(f"{at}/status")
        assert (status["workers"], status["queued_jobs"], status["total_jobs"]) == (2, 0, 1)
        assert b'total_jobs{worker_id="1"} 1\n' in curl(f"{at}/metrics")
        posted = ("-X", "POST", "-o", "/dev/null", "-w", "%{http_code}", f"{at}/payload")
        assert curl(*posted) == b"401"
        assert (
            curl("-H", "X-Name: jobrunner", "-o", "/dev/null", "-w", "%{http_code}", f"{at}/metrics")
            == b"403"
        )


def test_jobrunner_without_a_password_is_open_and_warns(tmp_path: Path) -> None:
    environment = {"JOBRUNNER_CMD": "/bin/date"}
    with ready(tmp_path, "jobrunner.yml", environment) as server:
        assert server.events("facade_without_password")
        answer = curled(*JSON, f"localhost:{server.port}/payload", "-d", '{"data":"a29rbzEyMzQK", "id":"1"}')
        assert answer["exit_status"] == 0
        assert base64.b64decode(answer["output"])


def test_a_password_is_taken_as_its_bytes_but_for_the_end_of_its_line(tmp_path: Path) -> None:
    environment = {"JOBRUNNER_CMD": "/bin/true", "JOBRUNNER_PASSWORD": os.fsdecode(b"pass \xff word\r\n")}
    with ready(tmp_path, "jobrunner.yml", environment) as server, server.connect() as client:
        for said, status in [("pass \xff word", 200), ("pass \xfe word", 401), ("pass ? word", 401)]:
            headers = {"Content-Type": "application/json", "X-JR-PASSWORD": said}
            body = b'{"data":"a29rbzEyMzQK", "id":"1235"}'
            assert client.ask("POST", "/payload", headers, body).status == status


def test_the_job_manager_runs_its_two_jobs(tmp_path: Path) -> None:
    with ready(tmp_path, "job-manager.yml") as server:
        at = f"localhost:{server.port}"
        export = {
            "Type": "Export",
            "args": {"from_date": "2020-01-01", "to_date": "2020-01-02", "seconds": 0},
        }
        uid = curled(*JSON, f"{at}/submit", "-d", json.dumps(export))["jobID"]
        told = eventually(
            lambda: curled(f"{at}/details/{uid}")["details"],
            lambda job: job["state"] in ("complete", "failed"),
        )
        assert (told["state"], told["result"]) == ("complete", {"exported": 2})
        simple = {"Type": "Simple", "args": {"count": 1000}}
        uid = curled(*JSON, f"{at}/submit", "-d", json.dumps(simple))["jobID"]
        for verb, state in [("halt", "halted"), ("resume", None), ("stop", "stopped")]:
            assert curled(f"{at}/{verb}/{uid}")["message"] == "Success"
            if state is not None:
                eventually(
                    lambda: curled(f"{at}/details/{uid}")["details"]["state"],
                    lambda told, state=state: told == state,
                )


class House:
    """Certificates, and a client with one."""

    def __init__(self, place: Path) -> None:
        self.place = place
        authority = issue_ca("house")
        pairs = {
            "ca": authority,
            "server": issue_server(authority, ["localhost"]),
            "me": issue_client(authority, "me"),
        }
        for name, issued in pairs.items():
            (place / f"{name}.crt").write_bytes(issued.cert)
            (place / f"{name}.key").write_bytes(issued.key)

    @property
    def for_curl(self) -> tuple[str, ...]:
        """What curl is told."""
        files = {"--cacert": "ca.crt", "--cert": "me.crt", "--key": "me.key"}
        return tuple(word for option, file in files.items() for word in (option, str(self.place / file)))

    def jobengine(self, port: int, *words: str) -> "subprocess.CompletedProcess[str]":
        """The command line, as its user has set it up."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.place),
            "PYTHONPATH": str(PROJECT),
            "JOBENGINE_URL": f"https://localhost:{port}",
            "JOBENGINE_CA": str(self.place / "ca.crt"),
            "JOBENGINE_CERT": str(self.place / "me.crt"),
            "JOBENGINE_KEY": str(self.place / "me.key"),
        }
        command = [sys.executable, "-m", "jobengine", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def said(self, port: int, *words: str) -> str:
        """What the command line says."""
        done = self.jobengine(port, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, int]]:
    """The Linux Job Worker, as it is ready."""
    place = tmp_path_factory.mktemp("linux")
    house = House(place)
    with ready(place, "linux-job-worker.yml", {"TLS_DIR": str(place)}) as server:
        yield house, server.port


def test_the_linux_job_worker_speaks_with_its_certificates(worker: tuple[House, int]) -> None:
    house, port = worker
    at = f"https://localhost:{port}"
    job = curled(*house.for_curl, *JSON, f"{at}/jobs", "-d", '{"cmd": ["echo", "-n", "hello"]}')
    assert job["cmd"] == "echo -n hello"
    told = eventually(
        lambda: curled(*house.for_curl, f"{at}/jobs/{job['id']}"),
        lambda job: job["status"] in ("FINISHED", "FAILED"),
    )
    assert told == {"id": job["id"], "cmd": "echo -n hello", "status": "FINISHED", "output": "hello"}
    with pytest.raises(subprocess.CalledProcessError):
        curl("--cacert", str(house.place / "ca.crt"), f"{at}/jobs")
    with Connection(port) as plain:
        plain.send(b"GET /jobs HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"idList" not in plain.all_that_comes()


def test_its_commands_say_its_words(worker: tuple[House, int]) -> None:
    house, port = worker
    uid, state, cmd = (
        house.said(port, "start", "sh", "-c", "echo begun; exec sleep 60").strip().split("  ", 2)
    )
    assert (state, cmd) == ("QUEUED", "sh -c echo begun; exec sleep 60")
    assert uid in house.said(port, "list").splitlines()
    eventually(lambda: house.said(port, "logs", uid), lambda text: text == "begun\n")
    assert house.said(port, "status", uid).split("  ")[:2] == [uid, "RUNNING"]
    assert house.said(port, "stop", uid) == "success\n"
    eventually(lambda: house.said(port, "status", uid), lambda text: "CANCELED" in text)
    assert house.said(port, "logs").splitlines()[:2] == [f"{uid}  CANCELED  {cmd}", "begun"]


def test_a_refusal_is_a_line(worker: tuple[House, int]) -> None:
    house, port = worker
    done = house.jobengine(port, "status", "4f1f2bb6-2f04-4a31-8a0c-3dcd7e1b1f3a")
    assert (done.returncode, done.stderr) == (1, "4f1f2bb6-2f04-4a31-8a0c-3dcd7e1b1f3a is not a valid id\n")
    assert house.jobengine(port, "stop", "a/../b").stderr == "not a valid id\n"
    done = house.jobengine(free_port(), "list")
    assert (done.returncode, done.stdout) == (69, "")
    assert done.stderr.count("\n") == 1


def test_a_log_is_followed_until_its_job_has_ended(worker: tuple[House, int]) -> None:
    house, port = worker
    uid = house.said(port, "start", "sh", "-c", "echo begun; sleep 0.7; echo ended").split()[0]
    assert house.said(port, "logs", uid, "-f") == "begun\nended\n"
    done = house.jobengine(port, "logs", "-f")
    assert (done.returncode, "needs the ID of a job" in done.stderr) == (64, True)


def test_a_log_keeps_its_columns(worker: tuple[House, int]) -> None:
    house, port = worker
    uid = house.said(port, "start", "printf", r"a\tb\33[0m\n").split()[0]
    assert house.said(port, "logs", uid, "-f") == "a       b?[0m\n"


def test_what_was_typed_must_be_utf_8(worker: tuple[House, int]) -> None:
    house, port = worker
    done = house.jobengine(port, "start", os.fsdecode(b"ls\xff"))
    assert (done.returncode, done.stderr) == (1, "what was typed is not UTF-8\n")


def test_a_server_without_these_routes_is_told(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server:
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(PROJECT)}
        command = [sys.executable, "-m", "jobengine", "list", "--url", f"http://localhost:{server.port}"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 78
    assert done.stderr.count("\n") == 1
    assert "facades.linux_job_worker" in done.stderr


def test_what_runs_may_end_when_the_server_is_told_to(tmp_path: Path) -> None:
    house = House(tmp_path)
    server = ServerProcess(tmp_path, {}, environment={"TLS_DIR": str(tmp_path)})
    server.configuration.write_text((PROJECT / "config" / "linux-job-worker.yml").read_text())
    with server:
        uid = house.said(server.port, "start", "sh", "-c", "sleep 5; echo ended").split()[0]
        eventually(lambda: house.said(server.port, "status", uid), lambda text: "RUNNING" in text)
        server.send(signal.SIGTERM)
        assert server.process.wait(20) == 0, server.log
        server.start()
        assert house.said(server.port, "logs", uid) == "ended\n"
        assert "FINISHED" in house.said(server.port, "status", uid)


def test_who_waits_when_the_server_stops_is_told_and_the_job_is_not_run_again(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path, {}, environment={"JOBRUNNER_CMD": "/bin/sleep 60"})
    port = server.port
    server.configuration.write_text((PROJECT / "config" / "jobrunner.yml").read_text())
    with server, Connection(port) as client:
        headers = {"Host": "localhost", "Content-Type": "application/json"}
        client.send(request("POST", "/payload", headers, b'{"data":"a29rbzEyMzQK", "id":"1"}'))
        eventually(lambda: curled(f"localhost:{port}/status"), lambda told: told["jobs_running"] == 1)
        server.send(signal.SIGTERM)
        assert client.receive(to="POST").status == 503
        assert server.process.wait(20) == 0, server.log
        server.start()
        assert curled(f"localhost:{port}/status")["jobs_waiting"] == 0
        assert curled(f"localhost:{port}/status")["jobs_running"] == 0
