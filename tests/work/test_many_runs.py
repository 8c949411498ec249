"""Many jobs at once, and servers and workers that are killed while they run them."""

import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from jobengine import Client
from jobengine.client.job import Job
from tests.work.test_worker import Place, serving, sh, worker_process

KILLS = 30
SLOTS = 8
# Beside the directories of all runs there is a mark for each that runs.
COUNTED = "mkdir ../now-$$; set -- ../now-*; echo $#; sleep 0.05; rmdir ../now-$$"
# Tells when another run of the same job is under way.
ALONE = "exec 9>../lock-%d; flock -n 9 || echo doubled; sleep %.2f; echo done"


@pytest.mark.parametrize("is_remote", [False, True], ids=["in the server", "on another machine"])
def test_two_hundred_jobs_at_once_run_on_eight_slots_each_of_them_once(
    tmp_path: Path, *, is_remote: bool
) -> None:
    with serving(tmp_path, workers=0 if is_remote else SLOTS) as server, ExitStack() as working:
        place = Place(server)
        if is_remote:
            working.enter_context(worker_process(place, slots=SLOTS))
        with place.client as client:
            jobs = [client.create("nightly", sh(COUNTED)) for _ in range(200)]
            ended = [place.ended(job) for job in jobs]
            seen = [int(place.output(job)) for job in jobs]
    assert {(job.state, job.attempt) for job in ended} == {("complete", 1)}
    assert 2 <= max(seen) <= SLOTS


def test_after_thirty_kills_of_servers_and_workers_every_job_has_ended_as_its_queue_promises(
    tmp_path: Path,
) -> None:
    chance = random.Random(30)
    with serving(tmp_path, workers=0) as server:
        place = Place(server)
        place.client = client = Client(f"http://127.0.0.1:{server.port}", name="tester", retry_seconds=20)
        jobs = [client.create("nightly", sh(ALONE % (n, chance.uniform(0.05, 0.4)))) for n in range(100)]
        workers = _workers(place)
        worker = next(workers)
        for number in range(KILLS):
            time.sleep(chance.uniform(0.05, 0.5))  # it is killed anywhere in what it does
            if number % 2:
                server.kill()
                server.start()
            else:
                worker.kill()
                worker.wait()
                worker = next(workers)
        ended = [place.ended(job) for job in jobs]
        workers.close()
        for job in ended:
            _check(job, place.output(job))
    assert {job.state for job in ended} >= {"complete"}
    assert any(job.errors for job in ended)  # a kill has met a run


def _workers(place: Place) -> Iterator[subprocess.Popen[bytes]]:
    """One after the other."""
    while True:
        with worker_process(place) as process:
            yield process


def _check(job: Job, output: str) -> None:
    """Its queue gives it three attempts, of which one ends only with its lease when its worker was killed."""
    assert "doubled" not in output
    assert 1 <= job.attempt <= 3
    assert {error.reason for error in job.errors} <= {"timeout"}
    if job.state == "complete":
        assert (output, len(job.errors)) == ("done\n", job.attempt - 1)
    else:
        assert (job.state, job.reason, len(job.errors)) == ("failed", "timeout", 3)
