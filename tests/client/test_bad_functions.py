"""Functions that do what they should not: it is their job's failure, and nobody else's."""

import asyncio
import logging
import threading
from unittest.mock import patch

import pytest

from jobengine import Client, CurrentJob, Draft, Release, Retry, State, Worker
from jobengine.testing import Broker
from tests.client.working import WAIT_SECONDS, until, working


class Unspeakable(Exception):
    """Cannot even say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class Outcome(BaseException):
    """As test libraries raise it: no Exception."""


@pytest.mark.parametrize("is_async", [True, False])
@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (OSError("no \udcff.png"), "OSError", "no ?.png"),
        (Unspeakable(), "Unspeakable", ""),
        (Outcome("no"), "Outcome", "no"),
        (SystemExit(3), "SystemExit", "3"),
        (GeneratorExit("no"), "GeneratorExit", "no"),
        (Exception("x" * 9999), "Exception", "x" * 2000),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_whatever_a_function_raises_fails_its_job_and_no_other(
    running: Broker,
    client: Client,
    worker: Worker,
    caplog: pytest.LogCaptureFixture,
    *,
    error: BaseException,
    kind: str,
    text: str,
    is_async: bool,
) -> None:
    caplog.set_level(logging.CRITICAL, "jobengine.worker")  # what is no Unicode could not be reported

    def do(content: str) -> str:
        if content == "bad":
            raise error
        return content

    async def do_async(content: str) -> str:
        return do(content)

    worker.job("fragile")(do_async if is_async else do)
    bad, good = client.create_many("fragile", [Draft("bad"), Draft("good")])
    running.run(worker)
    (failure,) = client.get("dead", bad.uid).errors
    assert (failure.kind, failure.text) == (kind, text)
    assert client.get("fragile", good.uid).result == "good"


def test_a_function_that_no_process_can_be_given_fails_its_jobs(
    running: Broker, client: Client, worker: Worker
) -> None:
    worker.job("fragile", in_process=True)(lambda content: content)
    job = client.create("fragile", 1)
    running.run(worker)
    assert "pickle" in client.get("dead", job.uid).errors[0].text


def test_a_delay_that_is_none_fails_the_attempt(running: Broker, client: Client, worker: Worker) -> None:
    @worker.job("fragile")
    def give_back(content: str) -> None:
        raise {"late": Release(delay=1e12), "later": Retry(delay=1e12)}.get(content) or Retry(delay="soon")  # type: ignore[arg-type]

    late, later, soon = client.create_many("fragile", [Draft("late"), Draft("later"), Draft("soon")])
    running.run(worker)
    assert "the delay that it asked for was refused" in client.get("dead", late.uid).errors[0].text
    assert "the delay that it asked for was refused" in client.get("dead", later.uid).errors[0].text
    assert client.get("dead", soon.uid).errors[0].kind == "ValueError"


def test_a_progress_that_is_too_large_costs_nobody_their_job(
    running: Broker, client: Client, worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    @worker.job("mail")
    async def work(content: str, job: CurrentJob) -> str:
        job.progress("x" * 5000)
        while "progress" not in caplog.text:
            await asyncio.sleep(0.01)
        return content

    job = client.create("mail", "done")
    running.run(worker)
    assert client.get("mail", job.uid).result == "done"


def test_the_last_progress_is_kept_when_the_job_is_complete(
    running: Broker, client: Client, worker: Worker
) -> None:
    @worker.job("mail")
    def work(_content: object, job: CurrentJob) -> None:
        job.progress(100)

    jobs = client.create_many("mail", [Draft(number) for number in range(5)])
    running.run(worker)
    assert [client.get("mail", job.uid).progress for job in jobs] == [100] * 5


def test_a_function_that_is_cancelled_may_clean_up(running: Broker, client: Client) -> None:
    worker = Worker(running.url, name="resizer", lease_seconds=1)
    begun, may_end = threading.Event(), threading.Event()
    cancelled: list[str] = []

    @worker.job("mail")
    async def work(_content: object, job: CurrentJob) -> None:
        begun.set()
        try:
            await asyncio.sleep(WAIT_SECONDS)
        finally:
            try:
                while not may_end.is_set():
                    await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                cancelled.append(job.uid)

    job = client.create("mail", 1)
    with working(worker):
        assert begun.wait(WAIT_SECONDS)
        client.stop("mail", job.uid)
        expires = client.get("mail", job.uid).lease
        for _ in range(2):  # each renewal is answered that it is to stop
            running.advance(0.1)
            until(lambda: client.get("mail", job.uid).lease != expires)  # noqa: B023
            expires = client.get("mail", job.uid).lease
        may_end.set()
        client.wait("mail", job.uid, timeout=WAIT_SECONDS)
    assert cancelled == []


def test_a_machine_that_gives_no_more_threads_ends_the_worker_and_costs_no_attempt(
    client: Client, worker: Worker
) -> None:
    worker.job("mail")(lambda content: content)
    jobs = client.create_many("mail", [Draft(number) for number in range(3)])
    no_more = patch(
        "jobengine.client.worker.threads.Thread", side_effect=RuntimeError("can't start new thread")
    )
    with no_more, pytest.raises(RuntimeError, match="new thread"):
        worker.run()
    now = [client.get("mail", job.uid) for job in jobs]
    assert [(job.state, job.attempt) for job in now] == [(State.QUEUED, 0)] * 3
