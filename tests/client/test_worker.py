"""Workers and the real broker."""

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jobengine import Client, CurrentJob, Draft, Fail, Release, Retry, State, Worker
from jobengine.errors import ConfigurationWrong, NotFound
from jobengine.testing import Broker

WAIT_SECONDS = 10


@pytest.fixture
def worker(running: Broker) -> Worker:
    """One without a function."""
    return Worker(running.url, name="resizer")


@contextmanager
def working(worker: Worker) -> Iterator[threading.Thread]:
    """The worker works until the end of the `with`."""
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield thread
    finally:
        worker.stop()
        thread.join(WAIT_SECONDS)
        assert not thread.is_alive()


def test_what_a_function_returns_is_the_result(running: Broker, client: Client, worker: Worker) -> None:
    @worker.job("mail")
    def double(content: int) -> int:
        return 2 * content

    jobs = client.create_many("mail", [Draft(number) for number in range(20)])
    running.run(worker)
    assert [client.get("mail", job.uid).result for job in jobs] == [2 * number for number in range(20)]


def test_an_asynchronous_function_does_jobs_too(running: Broker, client: Client, worker: Worker) -> None:
    @worker.job("mail")
    async def double(content: int, job: CurrentJob) -> list[object]:
        await asyncio.sleep(0)
        return [2 * content, job.attempt, job.queue]

    job = client.create("mail", 4)
    running.run(worker)
    assert client.get("mail", job.uid).result == [8, 1, "mail"]


def test_a_function_in_a_process_does_jobs_too(running: Broker, client: Client, worker: Worker) -> None:
    worker.job("mail", in_process=True)(processes_id)
    job = client.create("mail", "x")
    running.run(worker)
    uid, pid = client.get("mail", job.uid).result
    assert uid == job.uid
    assert pid != os.getpid()


def processes_id(_content: str, job: Any) -> list[object]:
    """Whose job this is, and which process does it."""
    return [job.uid, os.getpid()]


def test_a_process_that_dies_fails_its_job_and_not_the_worker(
    running: Broker, client: Client, worker: Worker
) -> None:
    worker.job("fragile", in_process=True)(die)
    first, second = client.create_many("fragile", [Draft(1), Draft(0, priority=1)])
    running.run(worker)
    assert client.get("dead", first.uid).errors[0].kind == "ProcessDied"
    assert client.get("fragile", second.uid).result == "alive"


def test_a_worker_that_must_end_ends_its_processes(client: Client, worker: Worker, tmp_path: Path) -> None:
    worker.job("mail", in_process=True)(never_end)
    sign = tmp_path / "begun"
    job = client.create("mail", str(sign))
    with working(worker):
        _until(sign.exists)
        worker.stop(drain_seconds=0)
    for child in multiprocessing.active_children():
        child.join(WAIT_SECONDS)
    assert multiprocessing.active_children() == []
    assert client.get("mail", job.uid).attempt == 0


def never_end(sign: str) -> None:
    """Say that it has begun."""
    Path(sign).touch()
    threading.Event().wait()


def die(signal_is_sent: int) -> str:
    """End this process, or not."""
    if signal_is_sent:
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"


def test_an_exception_fails_the_attempt_and_says_what_it_was(
    running: Broker, client: Client, worker: Worker
) -> None:
    @worker.job("mail")
    def fail(_content: object) -> None:
        raise ZeroDivisionError("by nothing")

    job = client.create("mail", 1)
    running.run(worker)
    failed = client.get("mail", job.uid)
    assert failed.state == State.FAILED
    assert [(each.attempt, each.kind, each.text) for each in failed.errors] == [
        (attempt, "ZeroDivisionError", "by nothing") for attempt in (1, 2, 3)
    ]


def test_a_function_may_ask_for_no_further_attempt(running: Broker, client: Client, worker: Worker) -> None:
    @worker.job("mail")
    def fail(_content: object) -> None:
        raise Fail("no such address")

    job = client.create("mail", 1)
    running.run(worker)
    assert len(client.get("mail", job.uid).errors) == 1


def test_a_function_may_ask_for_a_later_attempt(running: Broker, client: Client, worker: Worker) -> None:
    @worker.job("mail")
    def try_twice(_content: object, job: CurrentJob) -> str:
        if job.attempt == 1:
            raise Retry("busy", delay=600)
        return "done"

    job = client.create("mail", 1)
    running.run(worker)
    assert client.get("mail", job.uid).state == State.QUEUED
    running.advance(601)
    running.run(worker)
    assert client.get("mail", job.uid).result == "done"


def test_a_function_may_give_a_job_back(running: Broker, client: Client, worker: Worker) -> None:
    @worker.job("mail")
    def give_back(_content: object) -> None:
        raise Release(delay=60)

    job = client.create("mail", 1)
    running.run(worker)
    given_back = client.get("mail", job.uid)
    assert (given_back.state, given_back.attempt, given_back.errors) == (State.QUEUED, 0, ())


def test_a_result_that_json_cannot_say_fails_the_job(running: Broker, client: Client, worker: Worker) -> None:
    @worker.job("fragile")
    def answer(_content: object) -> object:
        return object()

    job = client.create("fragile", 1)
    running.run(worker)
    assert client.get("dead", job.uid).errors[0].kind == "TypeError"


def test_a_result_that_is_too_large_fails_its_job_and_no_other(
    running: Broker, client: Client, worker: Worker
) -> None:
    @worker.job("fragile")
    def answer(size: int) -> str:
        return "x" * size

    large, small = client.create_many("fragile", [Draft(2_000_000), Draft(2)])
    running.run(worker)
    assert client.get("fragile", small.uid).result == "xx"
    assert "its result was refused" in client.get("dead", large.uid).errors[0].text


def test_progress_is_seen_while_the_job_is_done(client: Client, worker: Worker) -> None:
    seen, may_end = threading.Event(), threading.Event()

    @worker.job("mail")
    def slow(_content: object, job: CurrentJob) -> None:
        job.progress({"percent": 40})
        seen.set()
        assert may_end.wait(WAIT_SECONDS)

    job = client.create("mail", 1)
    with working(worker):
        assert seen.wait(WAIT_SECONDS)
        _until(lambda: client.get("mail", job.uid).progress == {"percent": 40})
        may_end.set()
        assert client.wait("mail", job.uid, timeout=WAIT_SECONDS).state == State.COMPLETE


def _until(is_so: Callable[[], bool]) -> None:
    deadline, pause = time.monotonic() + WAIT_SECONDS, threading.Event()
    while not is_so():
        assert time.monotonic() < deadline
        pause.wait(0.01)


def test_a_lease_is_renewed_while_a_function_holds_up_the_loop(running: Broker, client: Client) -> None:
    begun, may_end = threading.Event(), threading.Event()
    worker = Worker(running.url, name="resizer", lease_seconds=1)

    @worker.job("mail")
    async def block(_content: object) -> str:
        begun.set()
        assert may_end.wait(WAIT_SECONDS)  # as bad code would
        return "done"

    job = client.create("mail", 1)
    with working(worker):
        assert begun.wait(WAIT_SECONDS)
        ends = client.get("mail", job.uid).lease.expires  # type: ignore[union-attr]
        running.advance(0.5)
        _until(lambda: client.get("mail", job.uid).lease.expires > ends)  # type: ignore[union-attr]
        may_end.set()
        assert client.wait("mail", job.uid, timeout=WAIT_SECONDS).result == "done"


def test_an_asynchronous_function_that_lost_its_job_is_cancelled(running: Broker, client: Client) -> None:
    begun, cancelled = threading.Event(), threading.Event()
    worker = Worker(running.url, name="resizer", lease_seconds=1)

    @worker.job("mail")
    async def wait(_content: object) -> None:
        begun.set()
        try:
            await asyncio.sleep(WAIT_SECONDS)
        finally:
            cancelled.set()

    job = client.create("mail", 1)
    with working(worker):
        assert begun.wait(WAIT_SECONDS)
        client.delete("mail", job.uid)
        assert cancelled.wait(WAIT_SECONDS)


def test_a_function_in_a_thread_is_told_that_it_lost_its_job(running: Broker, client: Client) -> None:
    begun, lost = threading.Event(), threading.Event()
    worker = Worker(running.url, name="resizer", lease_seconds=1)

    @worker.job("mail")
    def wait(_content: object, job: CurrentJob) -> None:
        begun.set()
        _until(lambda: job.is_lost)
        lost.set()

    job = client.create("mail", 1)
    with working(worker):
        assert begun.wait(WAIT_SECONDS)
        client.delete("mail", job.uid)
        assert lost.wait(WAIT_SECONDS)


def test_a_job_that_somebody_stops_is_cancelled_and_fails_as_stopped(running: Broker, client: Client) -> None:
    begun = threading.Event()
    worker = Worker(running.url, name="resizer", lease_seconds=1)

    @worker.job("mail")
    async def wait(_content: object) -> None:
        begun.set()
        await asyncio.sleep(WAIT_SECONDS)

    job = client.create("mail", 1)
    with working(worker):
        assert begun.wait(WAIT_SECONDS)
        client.stop("mail", job.uid)
        stopped = client.wait("mail", job.uid, timeout=WAIT_SECONDS)
    assert (stopped.state, stopped.reason) == (State.FAILED, "stopped")


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


def test_a_worker_takes_no_more_than_it_can_do(running: Broker, client: Client) -> None:
    worker = Worker(running.url, name="resizer", concurrency=2)
    begun, may_end = threading.Semaphore(0), threading.Event()

    @worker.job("mail")
    def slow(_content: object) -> None:
        begun.release()
        assert may_end.wait(WAIT_SECONDS)

    client.create_many("mail", [Draft(number) for number in range(5)])
    with working(worker):
        assert begun.acquire(timeout=WAIT_SECONDS)
        assert begun.acquire(timeout=WAIT_SECONDS)
        assert client.queue("mail").jobs["inprogress"] == 2
        assert client.queue("mail").jobs["queued"] == 3
        may_end.set()


def test_a_waiting_worker_gets_a_new_job_at_once(client: Client, worker: Worker) -> None:
    @worker.job("mail")
    def double(content: int) -> int:
        return 2 * content

    with working(worker):
        first = client.create("mail", 1, wait=WAIT_SECONDS)
        second = client.create("mail", 2, wait=WAIT_SECONDS)
    assert (first.result, second.result) == (2, 4)


async def test_a_worker_serves_within_a_program_that_has_a_loop(running: Broker) -> None:
    worker = Worker(running.url, name="resizer")

    @worker.job("mail")
    async def same(content: int) -> list[object]:
        return [content, threading.current_thread() is threading.main_thread()]

    async with running.async_client("tester") as client:
        serving = asyncio.create_task(worker.serve())
        done = await client.create("mail", 1, wait=WAIT_SECONDS)
        worker.stop()
        await serving
    assert done.result == [1, True]


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


def test_a_worker_without_the_right_to_read_ends_and_says_so(worker: Worker) -> None:
    worker.job("closed")(lambda content: content)
    with pytest.raises(NotFound):
        worker.run()


def test_a_worker_without_a_function_is_a_mistake(worker: Worker) -> None:
    with pytest.raises(ConfigurationWrong, match="decorate one"):
        worker.run()


def test_two_functions_for_one_queue_are_a_mistake(worker: Worker) -> None:
    worker.job("mail")(lambda content: content)
    with pytest.raises(ValueError, match="two functions"):
        worker.job("mail")(lambda content: content)


def test_a_function_that_takes_nothing_is_a_mistake(worker: Worker) -> None:
    with pytest.raises(TypeError, match="takes its content"):
        worker.job("mail")(lambda: None)


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
