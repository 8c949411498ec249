"""Brokers and workers that end, one way or another."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jobengine import AsyncClient, Client, Draft, State, Worker
from jobengine.testing import Broker
from tests.support.server import ServerProcess

ROOT = Path(__file__).parents[2]
WAIT_SECONDS = 20


@contextmanager
def program(url: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The worker of worker_program.py, at its job."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JOBENGINE_URL": url, "JOBENGINE_NAME": "resizer"}
    command = [sys.executable, "-m", "tests.client.worker_program", *arguments]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            yield process
        finally:
            process.kill()


def test_a_second_signal_gives_back_at_once_what_is_being_done(running: Broker, client: Client) -> None:
    job = client.create("mail", 1)
    with program(running.url) as process:
        process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)  # the first one lets it end what it does
        process.send_signal(signal.SIGINT)
        assert process.wait(WAIT_SECONDS) == 0
    given_back = client.get("mail", job.uid)
    assert (given_back.state, given_back.attempt, given_back.errors) == (State.QUEUED, 0, ())


def test_a_worker_that_is_killed_loses_its_job_when_the_lease_is_over(
    running: Broker, client: Client
) -> None:
    job = client.create("mail", 1)
    with program(running.url) as process:
        process.kill()
        process.wait(WAIT_SECONDS)
        assert client.get("mail", job.uid).state == State.INPROGRESS
        running.advance(61)
    given_back = client.get("mail", job.uid)
    assert (given_back.state, given_back.attempt) == (State.QUEUED, 1)
    assert [failure.reason for failure in given_back.errors] == ["timeout"]


def test_a_worker_that_is_killed_leaves_no_process_behind(running: Broker, client: Client) -> None:
    client.create("mail", 1)
    with program(running.url, "in_process") as process:
        process.kill()
        said, _ = process.communicate(timeout=WAIT_SECONDS)  # until nobody is left who could say something
        assert said == ""


def test_a_broker_that_is_killed_and_started_again_costs_no_job(tmp_path: Path) -> None:
    queues = {"mail": {"read": ["*"], "write": ["*"], "max_attempts": 5, "backoff": [0]}}
    with ServerProcess(tmp_path, {"queues": queues}) as server:
        url = f"http://127.0.0.1:{server.port}"
        worker = Worker(url, name="resizer", concurrency=8, lease_seconds=5)
        killed = threading.Event()

        @worker.job("mail")
        def same(content: int) -> int:
            if content == 50 and not killed.is_set():
                killed.set()
                server.kill()
                server.start()
            return content

        with Client(url, name="uploads") as client:
            jobs = client.create_many("mail", [Draft(number) for number in range(200)])
            thread = threading.Thread(target=worker.run)
            thread.start()
            assert killed.wait(WAIT_SECONDS)
            done = [client.wait("mail", job.uid, timeout=WAIT_SECONDS) for job in jobs]
            worker.stop()
            thread.join(WAIT_SECONDS)
        assert [job.result for job in done] == list(range(200))


async def test_who_stops_waiting_for_a_job_holds_none(running: Broker, client: Client) -> None:
    async with AsyncClient(running.url, name="tester") as waiting:
        claim = asyncio.create_task(waiting.claim("mail", wait=30))
        while not (await waiting.queues()):  # the claim was sent before
            pass
        claim.cancel()
        with pytest.raises(asyncio.CancelledError):
            await claim
    job = client.create("mail", 1)
    assert client.get("mail", job.uid).attempt == 0


def test_a_broker_that_stops_sends_waiting_workers_away_and_they_come_back(tmp_path: Path) -> None:
    queues = {"mail": {"read": ["*"], "write": ["*"]}}
    with ServerProcess(tmp_path, {"queues": queues}) as server:
        url = f"http://127.0.0.1:{server.port}"
        worker = Worker(url, name="resizer")
        worker.job("mail")(lambda content: content)
        thread = threading.Thread(target=worker.run)
        thread.start()
        with Client(url, name="uploads") as client:
            assert client.create("mail", 1, wait=WAIT_SECONDS).result == 1
            assert server.stop() == 0
            server.start()
            assert client.create("mail", 2, wait=WAIT_SECONDS).result == 2
        worker.stop()
        thread.join(WAIT_SECONDS)
        assert not thread.is_alive()
