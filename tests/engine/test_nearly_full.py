"""A disk that is nearly full, full, and free again."""

import pytest
from msgspec.structs import replace

from jobengine.errors import NotFound, StorageFull
from jobengine.model.blob import BLOB_THRESHOLD_BYTES
from jobengine.model.commands import (
    Act,
    Amend,
    Claim,
    Complete,
    Control,
    Create,
    Draft,
    Fail,
    Idempotency,
    Options,
    Settle,
    Steer,
    Sweep,
)
from jobengine.model.queue import Queue, WhenFull
from jobengine.model.states import State
from tests.support.brokers import MAIL, MINUTE_MS, Broker
from tests.support.commands import delete
from tests.support.ledgers import everything

REASON = "the disk has 3 MiB free"
BIG = b"x" * (BLOB_THRESHOLD_BYTES + 1)


async def test_on_a_nearly_full_disk_nothing_is_added() -> None:
    async with Broker() as broker:
        await broker.configure()
        job, big = await broker.create(content=b"12"), await broker.create(content=BIG)
        size = broker.engine.file_bytes()
        broker.engine.refuse_growth(REASON)
        for growing in (
            broker.create(),
            broker.create(content=BIG),
            broker.update(job, content=b"123"),
            broker.update(job, content=BIG),
            broker.update(big, content=BIG + b"x"),
        ):
            with pytest.raises(StorageFull, match=REASON):
                await growing
        assert broker.engine.file_bytes() == size
        assert await broker.jobs() == [job, big]


async def test_on_a_nearly_full_disk_everything_else_goes_on() -> None:
    async with Broker() as broker:
        await broker.configure()
        job, due = await broker.create(content=b"12"), await broker.create()
        broker.engine.refuse_growth(REASON)
        await broker.update(job, content=b"21", priority=90)
        assert await broker.claim() is not None
        settled = await broker.update(job, state=State.COMPLETE, content=b"1")
        assert await broker.engine.job("mail", job.uid) == settled
        broker.time.pass_ms(2 * MINUTE_MS)
        assert (await broker.engine.submit(Sweep(10))).expired == 1
        with pytest.raises(NotFound):
            await broker.engine.job("mail", due.uid)
        await broker.engine.submit(delete("mail", job.uid))
        await broker.configure(MAIL, Queue(name="another", keep=0, lease=MINUTE_MS))


async def test_what_would_be_refused_anyway_is_refused_for_that() -> None:
    async with Broker() as broker:
        await broker.configure()
        job = await broker.create()
        await broker.engine.submit(delete("mail", job.uid))
        broker.engine.refuse_growth(REASON)
        with pytest.raises(NotFound):
            await broker.create(queue="unknown")
        with pytest.raises(NotFound):
            await broker.update(job, content=b"larger")


async def test_when_there_is_room_again_jobs_are_added_again() -> None:
    async with Broker() as broker:
        await broker.configure()
        broker.engine.refuse_growth(REASON)
        with pytest.raises(StorageFull):
            await broker.create()
        broker.engine.refuse_growth(None)
        await broker.create()


async def test_a_full_disk_is_told_at_once_to_whoever_watches_it() -> None:
    told: list[None] = []
    broker = Broker()
    broker.engine.start(on_failure=broker.failures.append, on_full=lambda: told.append(None))
    await broker.configure()
    broker.disk.fill()
    with pytest.raises(StorageFull):
        await broker.create()
    assert len(told) == 1
    broker.disk.make_room()
    await broker.engine.stop()


async def test_a_claim_that_does_not_fit_is_refused_and_loses_nothing() -> None:
    async with Broker() as broker:
        await broker.configure()
        job = await broker.create()
        broker.disk.fill()
        for _ in range(3):
            with pytest.raises(StorageFull):
                await broker.claim()
        assert await broker.jobs() == [job]
        broker.disk.make_room()
        claimed = await broker.claim()
        assert claimed is not None
        assert broker.replayed().job("mail", job.uid) == claimed


async def test_a_full_disk_undoes_all_of_a_request_its_idempotency_key_too() -> None:
    async with Broker() as broker:
        await broker.configure(replace(MAIL, max_jobs=2, when_full=WhenFull.DROP_LOWEST))
        low = await broker.create(priority=1)
        options = Options(unique_key="k", delay=5)
        draft = Draft(b"{}", 50, None, options)
        command = Create("mail", (draft, Draft(b"{}", 90, None)), Idempotency(b"key", b"body"))
        before = everything(broker.ledger)
        broker.disk.fill()
        with pytest.raises(StorageFull):
            await broker.engine.submit(command)
        assert everything(broker.ledger) == everything(broker.replayed()) == before
        broker.disk.make_room()
        created = await broker.engine.submit(command)
        assert created.known == frozenset()
        assert low.uid not in {job.uid for job in await broker.jobs()}
        assert everything(broker.replayed()) == everything(broker.ledger)


async def test_a_full_disk_undoes_what_holders_and_writers_said() -> None:
    async with Broker() as broker:
        await broker.configure(replace(MAIL, dead_letter="letters"), replace(MAIL, name="letters"))
        await broker.create(), await broker.create()
        job, other = await broker.engine.submit(Claim("mail", "reader", most=2))
        before = everything(broker.ledger)
        broker.disk.fill()
        for command in (
            Settle("mail", (Fail(job.uid, job.lease), Complete(other.uid, other.lease, b"1"))),
            Control("mail", (job.uid, other.uid), Act.STOP),
            Amend("mail", job.uid, tags=("t",)),
            Steer("mail", is_paused=True),
        ):
            with pytest.raises(StorageFull):
                await broker.engine.submit(command)
            assert everything(broker.ledger) == everything(broker.replayed()) == before
