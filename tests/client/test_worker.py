"""Workers and the real broker."""

import asyncio
import os
import signal
import threading
from typing import Any

import pytest

from jobengine import AsyncClient, Client, CurrentJob, Draft, Fail, Release, Retry, State, Worker
from jobengine.errors import ConfigurationWrong, NotFound
from jobengine.testing import Broker
from tests.client.working import WAIT_SECONDS, working


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


def test_an_object_whose_call_is_asynchronous_does_jobs_too(
    running: Broker, client: Client, worker: Worker
) -> None:
    class Double:
        async def __call__(self, content: int) -> int:
            return 2 * content

    worker.job("mail")(Double())
    job = client.create("mail", 21)
    running.run(worker)
    assert client.get("mail", job.uid).result == 42


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


def test_a_worker_until_nothing_is_left_asks_again_when_an_attempt_failed_meanwhile(
    running: Broker, client: Client, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, told = threading.Event(), asyncio.Event()
    claim, settle = AsyncClient.claim, AsyncClient.settle

    async def answered_late(*args: Any, **options: Any) -> Any:
        jobs = await claim(*args, **options)
        if not jobs and not asked.is_set():
            asked.set()
            await told.wait()
            for _ in range(5):  # who told it goes on
                await asyncio.sleep(0)
        return jobs

    async def telling(*args: Any, **options: Any) -> Any:
        answers = await settle(*args, **options)
        told.set()
        return answers

    @worker.job("mail")
    def fail(_content: object) -> None:
        assert asked.wait(WAIT_SECONDS)
        raise ZeroDivisionError

    monkeypatch.setattr(AsyncClient, "claim", answered_late)
    monkeypatch.setattr(AsyncClient, "settle", telling)
    job = client.create("mail", 1)
    running.run(worker)
    assert client.get("mail", job.uid).state == State.FAILED


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


def test_a_worker_without_the_right_to_read_ends_and_says_so(worker: Worker) -> None:
    worker.job("closed")(lambda content: content)
    with pytest.raises(NotFound) as refused:
        worker.run()
    assert refused.value.__notes__ == ["as resizer claimed jobs of closed"]


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


def test_a_worker_that_could_do_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least 1, not 0"):
        Worker(name="resizer", concurrency=0)


def test_a_worker_may_do_more_at_once_than_one_claim_gives(running: Broker, client: Client) -> None:
    worker = Worker(running.url, name="resizer", concurrency=5000)

    @worker.job("mail")
    async def same(content: int) -> int:
        return content

    job = client.create("mail", 1)
    running.run(worker)
    assert client.get("mail", job.uid).result == 1
