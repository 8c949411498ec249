"""A worker on another machine whose broker does not take all that it is told."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jobengine import AsyncClient
from jobengine.client.job import Job
from jobengine.work.outcome import Done, Halted, Kind, Outcome
from jobengine.work.remote import RemoteSource
from jobengine.work.source import Asked
from tests.support.server import ServerProcess

TOO_LARGE = b'"' + 2_000_000 * b"x" + b'"'
TOO_DEEP = 70 * b"[" + 70 * b"]"


class Elsewhere:
    """A worker, and somebody who has it work."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._source = RemoteSource(client, worker="elsewhere")

    async def stopped(self) -> Asked:
        """What is asked of one that was stopped when a worker had given it back."""
        job = await self.after(Halted(b"7"))
        await self._client.stop("runs", job.uid)
        (again,) = await self._source.claim(["runs"], most=1, wait=5)
        assert again.saved == b"7"
        return again.asked

    async def after(self, outcome: Outcome) -> Job:
        """A job of which this has been told."""
        created = await self._client.create("runs", 1)
        (job,) = await self._source.claim(["runs"], most=1, wait=5)
        await self._source.settle(job, outcome)
        return await self._client.get("runs", created.uid)


@pytest.fixture
async def elsewhere(tmp_path: Path) -> AsyncIterator[Elsewhere]:
    server = ServerProcess(tmp_path, {"queues": {"runs": {"read": ["owner"], "write": ["owner"]}}})
    await asyncio.to_thread(server.start)
    try:
        async with AsyncClient(f"http://127.0.0.1:{server.port}", name="owner") as client:
            yield Elsewhere(client)
    finally:
        await asyncio.to_thread(server.stop)


@pytest.mark.parametrize("result", [TOO_LARGE, TOO_DEEP], ids=["large", "deep"])
async def test_a_result_that_the_broker_does_not_take_fails_its_job(
    elsewhere: Elsewhere, result: bytes
) -> None:
    job = await elsewhere.after(Done(result))
    assert (job.state, job.errors[-1].kind) == ("failed", Kind.OUTPUT)
    assert "the broker does not take its result" in job.errors[-1].text


@pytest.mark.parametrize("saved", [TOO_LARGE, TOO_DEEP], ids=["large", "deep"])
async def test_a_job_begins_anew_when_the_broker_does_not_take_what_it_saved(
    elsewhere: Elsewhere, saved: bytes
) -> None:
    job = await elsewhere.after(Halted(saved))
    assert (job.state, job.attempt, job.saved) == ("queued", 0, None)


async def test_a_job_that_was_stopped_is_claimed_to_be_ended(elsewhere: Elsewhere) -> None:
    assert await elsewhere.stopped() is Asked.STOP
