"""A worker over the engine of its own process, and one over HTTP: with the real broker and real programs."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from jobengine import Client
from jobengine.client.job import Job
from tests.support.server import ServerProcess

USER = "nobody" if os.geteuid() == 0 else None
SHELL = {"type": "shell", "workers": 2, "grace": 0.5, **({"user": USER} if USER else {})}
CLASSES = {"Simple": "jobengine.work.examples:Simple", "Stubborn": "tests.work.odd_classes:Stubborn"}
PYTHON = {"type": "python", "workers": 2, "classes": CLASSES, "grace": 0.1}
EVERYBODY = {"read": ["*"], "write": ["*"], "max_attempts": 3, "backoff": [0], "keep_logs": 200}
LEASE_SECONDS = 2.0


@contextmanager
def serving(place: Path, *, workers: int, drain_seconds: float = 0.2) -> Iterator[ServerProcess]:
    """A server that has two queues to run, and so many workers for each."""
    queues = {
        "nightly": {**EVERYBODY, "run": {**SHELL, "workers": workers}},
        "steps": {**EVERYBODY, "run": {**PYTHON, "workers": workers}},
    }
    # Not below the directory of all tests, which each run of pytest closes to others.
    with TemporaryDirectory(prefix="jobengine-runs-") as runs:
        Path(runs).chmod(0o777)
        work = {"drain_seconds": drain_seconds, "directory": runs}
        with ServerProcess(place, {"admin": ["ops"], "work": work, "queues": queues}) as server:
            yield server


@pytest.fixture(params=["in the server", "on another machine"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator["Place"]:
    """Each test of what a worker does is done by both kinds."""
    is_remote = request.param == "on another machine"
    with serving(tmp_path, workers=0 if is_remote else 2) as server:
        place = Place(server)
        if not is_remote:
            with place.client:
                yield place
            return
        with place.client, worker_process(place):
            yield place


class Place:
    """A server whose jobs are run, wherever that is."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.client = Client(f"http://127.0.0.1:{server.port}", name="tester", retry_seconds=5)

    def worker_configuration(self, slots: int) -> Path:
        """The same queues, to be run elsewhere."""
        path = self.server.configuration.with_name("worker.yml")
        text = self.server.configuration.read_text()
        path.write_text(text.replace('"workers": 0', f'"workers": {slots}'))
        return path

    def ended(self, job: Job) -> Job:
        """The job when it has ended."""
        found = self.client.wait(job.queue, job.uid, timeout=20)
        assert found.has_ended, (found, self.server.log)
        return found

    def until(self, is_so: Callable[[Job], Any], job: Job, *, seconds: float = 15) -> Job:
        """The job as soon as it is so."""
        deadline = time.monotonic() + seconds
        while not is_so(found := self.client.get(job.queue, job.uid)):
            assert time.monotonic() < deadline, (found.state, found.errors, found.result, self.server.log)
            time.sleep(0.02)
        return found

    def output(self, job: Job) -> str:
        """What it has written."""
        return b"".join(piece.data for piece in self.client.log(job.queue, job.uid)).decode()

    def has_written(self, text: str) -> Callable[[Job], bool]:
        """Whether a job has written this."""
        return lambda job: text in self.output(job)


@contextmanager
def worker_process(place: Place, *queues: str, slots: int = 2) -> Iterator[subprocess.Popen[bytes]]:
    """`jobengine worker`."""
    named = [word for queue in queues or ("nightly", "steps") for word in ("--queue", queue)]
    command = [
        sys.executable,
        "-m",
        "jobengine",
        "worker",
        "--config",
        str(place.worker_configuration(slots)),
    ]
    environment = {
        **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "PYTHONPATH")},
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "JOBENGINE_URL": f"http://127.0.0.1:{place.server.port}",
        "JOBENGINE_NAME": "runner",
        "LOG_FORMAT": "json",
    }
    said = place.server.configuration.with_name("worker.log")
    with said.open("ab") as log:
        process = subprocess.Popen(
            [*command, *named, "--lease", f"{LEASE_SECONDS:g}s"], env=environment, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise
        assert "Traceback" not in said.read_text(), said.read_text()


def sh(text: str) -> dict[str, Any]:
    """The content of a job that runs this."""
    return {"argv": ["/bin/sh", "-c", text]}


def until_written(path: Path, text: str, *, seconds: float = 20) -> None:
    """Wait until a file has it."""
    deadline = time.monotonic() + seconds
    while text not in path.read_text():
        assert time.monotonic() < deadline, path.read_text()
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Whether there is such a process, and it is no corpse."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_job_is_run_and_tells_its_result_and_its_output(where: Place) -> None:
    job = where.ended(where.client.create("nightly", sh("echo hello; echo oh >&2; exit 3"), max_attempts=1))
    assert (job.state, job.result["exit_code"]) == ("failed", 3), job
    assert job.errors[-1].kind == "exit_code"
    pieces = {piece.stream: piece.data for piece in where.client.log("nightly", job.uid)}
    assert pieces == {"out": b"hello\n", "err": b"oh\n"}
    done = where.ended(where.client.create("nightly", sh("true")))
    assert (done.state, done.result["exit_code"]) == ("complete", 0)


def test_output_is_followed_while_the_job_runs(where: Place) -> None:
    job = where.client.create("nightly", sh("for i in 1 2 3; do echo $i; sleep 0.2; done"))
    pieces = list(where.client.log("nightly", job.uid, follow=True))
    assert b"".join(piece.data for piece in pieces) == b"1\n2\n3\n", where.ended(job)


def test_a_job_that_is_longer_than_its_lease_is_held_on(where: Place) -> None:
    job = where.ended(where.client.create("nightly", sh(f"sleep {LEASE_SECONDS * 1.8}")))
    assert (job.state, job.attempt) == ("complete", 1)


def test_a_running_job_is_halted_and_goes_on_where_it_was(where: Place) -> None:
    job = where.client.create("nightly", sh("for i in $(seq 60); do echo $i; sleep 0.1; done"))
    where.until(where.has_written("3\n"), job)
    where.client.halt("nightly", job.uid)
    time.sleep(LEASE_SECONDS / 2)  # it hears of it at its next renewal
    seen = where.output(job)
    time.sleep(0.5)
    assert where.output(job) == seen
    assert where.client.get("nightly", job.uid).state == "inprogress"
    where.client.resume("nightly", job.uid)
    done = where.ended(job)
    assert (done.state, where.output(job).split()) == ("complete", [str(each) for each in range(1, 61)])


def test_a_running_job_is_stopped(where: Place) -> None:
    job = where.client.create("nightly", sh("trap '' TERM; echo $$; while :; do sleep 0.1; done"))
    where.until(where.has_written("\n"), job)
    pid = int(where.output(job))
    where.client.stop("nightly", job.uid)
    done = where.ended(job)
    assert (done.state, done.reason) == ("failed", "stopped")
    assert not is_alive(pid)


def test_a_queued_job_that_is_halted_is_not_run_until_it_is_resumed(where: Place) -> None:
    for _ in range(2):
        where.client.create("nightly", sh("sleep 0.5"))
    job = where.client.create("nightly", sh("echo here"))
    where.client.halt("nightly", job.uid)
    other = where.ended(where.client.create("nightly", sh("true")))
    assert other.state == "complete"
    assert where.client.get("nightly", job.uid).state == "queued"
    where.client.resume("nightly", job.uid)
    assert where.ended(job).state == "complete"


def test_a_class_that_is_halted_lets_its_worker_go_and_goes_on_where_it_was(where: Place) -> None:
    job = where.client.create("steps", {"class": "Simple", "args": {"count": 12, "seconds": 0.2}})
    where.until(lambda now: now.progress and now.progress["done"] >= 3, job)
    where.client.halt("steps", job.uid)
    halted = where.until(lambda now: now.state == "queued", job)
    assert halted.halted
    where.client.resume("steps", job.uid)
    done = where.ended(job)
    assert (done.state, done.result["result"], done.attempt) == ("complete", {"counted": 12}, 1)


def test_who_works_is_told(where: Place) -> None:
    job = where.client.create("nightly", sh("sleep 60"))
    where.until(lambda now: now.state == "inprogress", job)
    (worker,) = [each for each in where.client.workers() if job.uid in each.jobs]
    assert "nightly" in worker.queues
    where.client.stop("nightly", job.uid)
    where.ended(job)


def test_a_worker_that_is_told_to_end_gives_its_job_back_and_no_attempt_is_lost(tmp_path: Path) -> None:
    with serving(tmp_path, workers=0) as server:
        place = Place(server)
        with place.client as client, worker_process(place) as process:
            job = client.create("nightly", sh("echo $$; sleep 60"))
            place.until(place.has_written("\n"), job)
            pid = int(place.output(job))
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
            back = client.get("nightly", job.uid)
            assert (back.state, back.attempt, back.errors) == ("queued", 0, ())
            assert not is_alive(pid)


def test_a_worker_ends_also_when_what_it_runs_does_not(tmp_path: Path) -> None:
    with serving(tmp_path, workers=0) as server:
        place = Place(server)
        with place.client as client, worker_process(place) as process:
            job = client.create("steps", {"class": "Stubborn"})
            place.until(lambda now: now.state == "inprogress", job)
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0
            assert client.get("steps", job.uid).state == "queued"


def test_a_worker_that_is_killed_leaves_no_process_and_its_job_is_run_again(tmp_path: Path) -> None:
    with serving(tmp_path, workers=0) as server:
        place = Place(server)
        again = "if test -e ../flag; then echo again; else touch ../flag; echo $$; sleep 60; fi"
        with place.client as client:
            with worker_process(place) as process:
                job = client.create("nightly", sh(again))
                place.until(place.has_written("\n"), job)
                pid = int(place.output(job))
                process.kill()
                process.wait()
            deadline = time.monotonic() + 10
            while is_alive(pid):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            with worker_process(place):
                done = place.ended(job)
            assert (done.state, done.attempt, place.output(job)) == ("complete", 2, "again\n")
            assert done.errors[0].reason == "timeout"


def test_a_worker_says_once_that_its_broker_is_away_and_once_that_it_is_back(tmp_path: Path) -> None:
    with serving(tmp_path, workers=0) as server:
        place = Place(server)
        said = server.configuration.with_name("worker.log")
        with place.client, worker_process(place):
            place.ended(place.client.create("nightly", sh("true")))
            server.kill()
            until_written(said, "no_jobs_for_now")
            server.start()
            place.ended(place.client.create("nightly", sh("true")))
            until_written(said, "jobs_again")
        told = said.read_text()
    assert (told.count("no_jobs_for_now"), told.count("jobs_again")) == (1, 1), told


def test_a_job_that_is_deleted_is_stopped_and_nobody_else_notices(where: Place) -> None:
    job = where.client.create("nightly", sh("trap '' TERM; echo $$; while :; do sleep 0.1; done"))
    where.until(where.has_written("\n"), job)
    pid = int(where.output(job))
    time.sleep(0.3)  # now it hears at once what becomes of it
    where.client.delete("nightly", job.uid)
    assert where.ended(where.client.create("nightly", sh("true"))).state == "complete"
    deadline = time.monotonic() + 15
    while is_alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_class_goes_on_on_another_worker_after_a_restart_of_everything(tmp_path: Path) -> None:
    with serving(tmp_path, workers=0) as server:
        place = Place(server)
        with place.client as client:
            with worker_process(place):
                job = client.create("steps", {"class": "Simple", "args": {"count": 12, "seconds": 0.2}})
                place.until(lambda now: now.progress and now.progress["done"] >= 3, job)
                client.halt("steps", job.uid)
                place.until(lambda now: now.state == "queued", job)
            server.kill()
            server.start()
            client.resume("steps", job.uid)
            with worker_process(place):
                done = place.ended(job)
            assert (done.state, done.result["result"]) == ("complete", {"counted": 12})
            assert done.result["seconds"] < 12 * 0.2


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--queue", "nowhere"), 78, "there is no queue nowhere"),
        (("--queue", "plain"), 78, "queues.plain has no run.type"),
        (("--queue", "none"), 78, "queues.none.run.workers is 0"),
        ((), 64, "say which queue"),
        (("--queue", "closed"), 1, "not_found"),
    ],
)
def test_a_worker_that_cannot_work_says_why(
    tmp_path: Path, words: Sequence[str], code: int, says: str
) -> None:
    run = {"type": "python", "classes": {"Simple": "jobengine.work.examples:Simple"}}
    queues = {
        "plain": EVERYBODY,
        "none": {**EVERYBODY, "run": {**run, "workers": 0}},
        "closed": {"read": ["boss"], "write": ["boss"], "run": {**run, "workers": 1}},
    }
    with ServerProcess(tmp_path, {"queues": queues}) as server:
        environment = {**os.environ, "JOBENGINE_URL": f"http://127.0.0.1:{server.port}"}
        command = [sys.executable, "-m", "jobengine", "worker", "--name", "runner", *words]
        done = subprocess.run(
            [*command, "--config", str(server.configuration)],
            env=environment,
            capture_output=True,
            timeout=30,
            check=False,
        )
    assert (done.returncode, b"Traceback" in done.stderr) == (code, False), done.stderr
    assert says in done.stderr.decode()
