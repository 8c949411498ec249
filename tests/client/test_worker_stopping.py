"""Workers that stop."""

import asyncio
import multiprocessing
import threading
from pathlib import Path

import pytest

from jobengine import Client, State, Worker
from jobengine.testing import Broker
from tests.client.working import WAIT_SECONDS, until, working


def test_a_worker_that_must_end_ends_its_processes(client: Client, worker: Worker, tmp_path: Path) -> None:
    worker.job("mail", in_process=True)(never_end)
    sign = tmp_path / "begun"
    job = client.create("mail", str(sign))
    with working(worker):
        until(sign.exists)
        worker.stop(drain_seconds=0)
    until(lambda: multiprocessing.active_children() == [])  # the pool's own thread may be joining them too
    assert client.get("mail", job.uid).attempt == 0


def never_end(sign: str) -> None:
    """Say that it has begun."""
    Path(sign).touch()
    threading.Event().wait()


def test_a_worker_ends_what_was_stopped_before_it_came_and_does_not_do_it(
    client: Client, worker: Worker
) -> None:
    done: list[object] = []
    worker.job("mail")(done.append)
    job = client.create("mail", 1)
    (claimed,) = client.claim("mail")
    client.release(claimed, saved={"at": 7})
    assert client.stop("mail", job.uid).control == "stop"
    with working(worker):
        assert client.wait("mail", job.uid, timeout=10).reason == "stopped"
    assert done == []


def test_a_worker_that_stops_lets_end_what_it_does(client: Client, worker: Worker) -> None:
    begun, may_end = threading.Event(), threading.Event()

    @worker.job("mail")
    def slow(_content: object) -> str:
        begun.set()
        assert may_end.wait(WAIT_SECONDS)
        return "done"

    job = client.create("mail", 1)
    with working(worker):
        assert begun.wait(WAIT_SECONDS)
        worker.stop()
        may_end.set()
    assert client.get("mail", job.uid).result == "done"


@pytest.mark.parametrize("is_async", [True, False])
def test_a_worker_that_must_end_gives_back_what_it_does_without_an_attempt(
    client: Client, worker: Worker, is_async: bool
) -> None:
    begun, end = threading.Event(), threading.Event()

    async def slow(_content: object) -> None:
        begun.set()
        await asyncio.sleep(WAIT_SECONDS)

    def slow_in_thread(_content: object) -> None:
        begun.set()
        end.wait(WAIT_SECONDS)

    worker.job("mail")(slow if is_async else slow_in_thread)
    job = client.create("mail", 1)
    with working(worker):
        assert begun.wait(WAIT_SECONDS)
        worker.stop(drain_seconds=0)
    given_back = client.get("mail", job.uid)
    end.set()
    assert (given_back.state, given_back.attempt, given_back.errors) == (State.QUEUED, 0, ())


async def test_a_program_that_cancels_its_worker_gives_everything_back(running: Broker) -> None:
    worker = Worker(running.url, name="resizer")
    begun = asyncio.Event()

    @worker.job("mail")
    async def slow(_content: int) -> None:
        begun.set()
        await asyncio.sleep(WAIT_SECONDS)

    async with running.async_client("tester") as client:
        job = await client.create("mail", 1)
        serving = asyncio.create_task(worker.serve())
        await begun.wait()
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        assert (await client.get("mail", job.uid)).attempt == 0


def test_a_worker_that_is_stopped_before_it_runs_ends_at_once_and_only_once(
    running: Broker, client: Client, worker: Worker
) -> None:
    worker.job("mail")(lambda content: content)
    job = client.create("mail", 1)
    worker.stop()
    worker.run()
    assert client.get("mail", job.uid).attempt == 0
    running.run(worker)
    assert client.get("mail", job.uid).result == 1
