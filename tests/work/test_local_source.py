"""Jobs straight from the engine: who takes them holds them, or nobody does."""

import asyncio
from collections.abc import AsyncIterator
from unittest import mock

import pytest

from jobengine.compose.local_source import LocalSource
from jobengine.engine.local import LocalEngine
from jobengine.errors import Damaged, NotFound
from jobengine.model.blob import Blob
from jobengine.model.job import Job
from jobengine.model.states import State
from tests.support.brokers import Broker

BIG = b'{"n":"%b"}' % (b"x" * 20_000)


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    """One with a big job, and a small one behind it."""
    async with Broker() as started:
        await started.configure()
        await started.create(content=BIG)
        await started.create()
        yield started


def failing(refusal: Exception) -> object:
    """The big content cannot be read."""

    async def content(value: bytes | Blob) -> bytes:
        if isinstance(value, bytes):
            return value
        raise refusal

    return content


async def claimed(broker: Broker) -> list[str]:
    """What a worker is given."""
    source = LocalSource(broker.engine, worker="w1")
    return [job.uid for job in await source.claim(["mail"], most=2, wait=1)]


async def states(broker: Broker) -> list[tuple[State, int]]:
    """Of the big one, and the small one."""
    jobs: list[Job] = sorted(await broker.jobs(), key=lambda job: job.arrival)
    return [(job.state, job.attempt) for job in jobs]


async def test_a_job_whose_content_is_damaged_fails_and_the_others_are_run(broker: Broker) -> None:
    with mock.patch.object(LocalEngine, "content", side_effect=failing(Damaged("it is damaged"))):
        assert len(await claimed(broker)) == 1
    assert await states(broker) == [(State.FAILED, 1), (State.INPROGRESS, 1)]


async def test_a_job_that_goes_while_it_is_claimed_does_not_hinder_the_others(broker: Broker) -> None:
    with mock.patch.object(LocalEngine, "content", side_effect=failing(NotFound())):
        assert len(await claimed(broker)) == 1


async def test_a_worker_that_ends_while_it_reads_what_it_claimed_holds_nothing(broker: Broker) -> None:
    reading = asyncio.Event()

    async def content(value: bytes | Blob) -> bytes:
        reading.set()
        await asyncio.sleep(60)
        raise AssertionError(value)

    with mock.patch.object(LocalEngine, "content", side_effect=content):
        claiming = asyncio.create_task(claimed(broker))
        await reading.wait()
        claiming.cancel()
        await asyncio.gather(claiming, return_exceptions=True)
    assert await states(broker) == [(State.QUEUED, 0), (State.QUEUED, 0)]
