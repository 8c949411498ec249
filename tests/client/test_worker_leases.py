"""Jobs that a worker holds: their leases, their progress, and how it loses them."""

import asyncio
import threading

from jobengine import Client, CurrentJob, State, Worker
from jobengine.testing import Broker
from tests.client.working import WAIT_SECONDS, until, working


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
        until(lambda: client.get("mail", job.uid).progress == {"percent": 40})
        may_end.set()
        assert client.wait("mail", job.uid, timeout=WAIT_SECONDS).state == State.COMPLETE


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
        until(lambda: client.get("mail", job.uid).lease.expires > ends)  # type: ignore[union-attr]
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
        until(lambda: job.is_lost)
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
