"""Values over 16 KiB live in the file, and not in memory."""

import asyncio
import os

import pytest
from msgspec.structs import replace

from jobengine.errors import Forbidden, LeaseLost, NotFound, QueueFull, StorageFull
from jobengine.model.blob import BLOB_PART_BYTES, BLOB_THRESHOLD_BYTES, Blob
from jobengine.model.commands import Act, Claim, Complete, Control, Create, Draft, Options, Settle, Update
from jobengine.model.job import Job
from tests.support.brokers import MAIL, MINUTE_MS, Broker
from tests.support.commands import create, delete
from tests.support.ledgers import everything

BIG = b"x" * (BLOB_THRESHOLD_BYTES + 1)
SIZES = [
    BLOB_THRESHOLD_BYTES + 1,
    BLOB_PART_BYTES - 1,
    BLOB_PART_BYTES,
    BLOB_PART_BYTES + 1,
    3 * BLOB_PART_BYTES,
]


@pytest.mark.parametrize("size", SIZES)
async def test_a_big_value_is_read_back_whole_after_a_restart_too(size: int) -> None:
    value = os.urandom(size)
    async with Broker() as broker:
        await broker.configure()
        job = await broker.create(content=value)
        assert isinstance(job.content, Blob)
        assert await broker.engine.content(job.content) == value
        left = broker.disk.disk.kill()
    async with Broker(left) as again:
        (found,) = await again.jobs()
        assert await again.engine.content(found.content) == value


async def test_a_value_at_the_threshold_stays_in_memory() -> None:
    async with Broker() as broker:
        await broker.configure()
        value = b"x" * BLOB_THRESHOLD_BYTES
        job = await broker.create(content=value)
        assert job.content == value
        assert await broker.engine.content(job.content) == value


async def test_an_update_may_bring_a_big_value_and_take_it_away() -> None:
    async with Broker() as broker:
        await broker.configure()
        job = await broker.create()
        value = os.urandom(BLOB_THRESHOLD_BYTES + 1)
        job = await broker.update(job, content=value, priority=7)
        assert (job.priority, await broker.engine.content(job.content)) == (7, value)
        job = await broker.update(job, content=b"{}")
        assert (await broker.engine.job("mail", job.uid)).content == b"{}"


async def test_a_big_value_goes_with_its_job() -> None:
    async with Broker() as broker:
        await broker.configure()
        job = await broker.create(content=b"x" * (BLOB_THRESHOLD_BYTES + 1))
        await broker.engine.submit(delete("mail", job.uid))
        assert await broker.jobs() == []
        assert broker.ledger.totals.bytes == 0


async def test_what_is_refused_is_refused_before_its_value_is_written() -> None:
    async with Broker() as broker:
        await broker.configure()
        job = await broker.create()
        big = b"x" * (BLOB_THRESHOLD_BYTES + 1)
        size = broker.engine.file_bytes()
        with pytest.raises(NotFound):
            await broker.create(queue="letters", content=big)
        with pytest.raises(Forbidden):
            await broker.engine.submit(Update("mail", job.uid, "stranger", may_write=False, content=big))
        assert broker.engine.file_bytes() == size


async def test_a_big_value_is_not_counted_as_memory() -> None:
    async with Broker(bytes_limit=2_000) as broker:
        await broker.configure()
        job = await broker.create(content=b"x" * (BLOB_THRESHOLD_BYTES + 1))
        await broker.update(job, content=b"y" * (BLOB_THRESHOLD_BYTES + 1))
        assert broker.ledger.totals.bytes < 2_000


async def test_memory_that_is_full_refuses_a_job_and_changes_nothing() -> None:
    async with Broker(bytes_limit=2_000) as broker:
        await broker.configure()
        await asyncio.gather(*(broker.create(content=b"x" * 200) for _ in range(9)), return_exceptions=True)
        before, size = everything(broker.ledger), broker.engine.file_bytes()
        assert 0 < len(await broker.jobs()) < 9
        with pytest.raises(QueueFull):
            await broker.create(content=b"x" * 1_500)
        assert everything(broker.ledger) == before
        assert broker.engine.file_bytes() == size
        assert await broker.claim() is not None


async def test_a_big_value_that_finds_no_room_is_refused_and_changes_nothing() -> None:
    async with Broker() as broker:
        await broker.configure()
        kept = await broker.create()
        broker.disk.fill()
        with pytest.raises(StorageFull):
            await broker.engine.submit(create("mail", b"x" * 10**6, 50, MINUTE_MS))
        broker.disk.make_room()
        assert await broker.jobs() == [kept]
        assert everything(broker.replayed()) == everything(broker.ledger)


async def test_big_and_small_values_at_once_are_all_there() -> None:
    async with Broker() as broker:
        await broker.configure()
        values = [os.urandom(20_000 if number % 3 else 20) for number in range(60)]
        jobs = await asyncio.gather(*(broker.create(content=value) for value in values))
        assert [await broker.engine.content(job.content) for job in jobs] == values


async def test_a_big_result_is_read_back_and_moves_with_its_job() -> None:
    async with Broker() as broker:
        await broker.configure(MAIL, replace(MAIL, name="letters"))
        await broker.create(content=BIG)
        (job,) = await broker.engine.submit(Claim("mail", "reader"))
        (done,) = await broker.engine.submit(Settle("mail", (Complete(job.uid, job.lease, BIG + b"r"),)))
        assert isinstance(done, Job)
        await broker.engine.submit(Control("mail", (job.uid,), Act.MOVE, "letters"))
        await broker.engine.compact()
        moved = await broker.engine.job("letters", job.uid)
        assert [await broker.engine.content(blob) for blob in moved.blobs] == [BIG, BIG + b"r"]


async def test_of_several_results_only_those_that_are_taken_are_written() -> None:
    async with Broker() as broker:
        await broker.configure()
        await broker.create()
        (job,) = await broker.engine.submit(Claim("mail", "reader"))
        size = broker.engine.file_bytes()
        stale = tuple(Complete(job.uid, lease, os.urandom(100_000)) for lease in (1, 2, 3))
        outcomes = await broker.engine.submit(Settle("mail", (*stale, Complete(job.uid, job.lease, BIG))))
        assert [type(outcome) for outcome in outcomes] == [LeaseLost, LeaseLost, LeaseLost, Job]
        assert broker.engine.file_bytes() - size < 50_000


async def test_a_big_content_of_a_job_that_is_there_is_not_written_again() -> None:
    async with Broker() as broker:
        await broker.configure()
        uid = "0a0b0c0d-1111-4111-8111-0123456789ab"
        command = create("mail", BIG, 50, None, Options(uid=uid))
        await broker.engine.submit(command)
        size = broker.engine.file_bytes()
        assert (await broker.engine.submit(command)).known == {0}
        assert broker.engine.file_bytes() == size


async def test_a_list_of_big_and_small_contents_is_made_whole_or_not_at_all() -> None:
    async with Broker() as broker:
        await broker.configure(replace(MAIL, max_jobs=3))
        drafts = tuple(Draft(content, 50, None) for content in (BIG, b"{}", BIG + b"2"))
        created = await broker.engine.submit(Create("mail", drafts))
        assert [await broker.engine.content(job.content) for job in created.jobs] == [BIG, b"{}", BIG + b"2"]
        size = broker.engine.file_bytes()
        with pytest.raises(QueueFull):
            await broker.engine.submit(Create("mail", drafts))
        assert broker.engine.file_bytes() == size


@pytest.mark.parametrize("content", [b"{}", BIG])
async def test_what_is_due_takes_nobodys_place_in_a_full_queue(content: bytes) -> None:
    async with Broker() as broker:
        await broker.configure(replace(MAIL, max_jobs=1))
        await broker.create(valid_for=1_000)
        with pytest.raises(QueueFull):
            await broker.create(content=content)
        broker.time.pass_ms(1_000)
        await broker.create(content=content)
