"""When the engine answers, and what is left of a change that found no room."""

import asyncio

import pytest
from msgspec.structs import replace

from jobengine.errors import NotFound, StorageFull
from tests.support.brokers import MAIL, MINUTE_MS, Broker, asked
from tests.support.commands import delete
from tests.support.ledgers import everything


async def test_a_command_is_answered_once_it_is_on_disk() -> None:
    async with Broker() as broker:
        await broker.configure()
        broker.disk.hold_syncs()
        creating = await asked(broker.create())
        assert not creating.done()
        broker.disk.let_syncs_go()
        job = await creating
        assert broker.replayed().job("mail", job.uid) == job


async def test_a_read_is_answered_once_what_it_saw_is_on_disk() -> None:
    async with Broker() as broker:
        await broker.configure()
        broker.disk.hold_syncs()
        creating = await asked(broker.create())
        looking = await asked(broker.jobs())
        assert not looking.done()
        broker.disk.let_syncs_go()
        assert await looking == [await creating]


async def test_a_refusal_is_answered_once_what_it_saw_is_on_disk() -> None:
    async with Broker() as broker:
        await broker.configure()
        job = await broker.create()
        broker.disk.hold_syncs()
        deleting = await asked(broker.engine.submit(delete("mail", job.uid)))
        looking = await asked(broker.engine.job("mail", job.uid))
        assert not looking.done()
        broker.disk.let_syncs_go()
        await deleting
        with pytest.raises(NotFound):
            await looking


async def test_memory_forgets_what_found_no_room_and_nothing_else() -> None:
    async with Broker() as broker:
        await broker.configure()
        kept = await broker.create()
        broker.disk.fill()
        refused = await asyncio.gather(broker.create(), broker.claim(), return_exceptions=True)
        assert [type(one) for one in refused] == [StorageFull, StorageFull]
        assert everything(broker.ledger) == everything(broker.replayed())
        assert await broker.jobs() == [kept]


async def test_a_read_that_saw_what_found_no_room_looks_again() -> None:
    async with Broker() as broker:
        await broker.configure()
        broker.disk.fill()
        creating, looking = await asyncio.gather(broker.create(), broker.jobs(), return_exceptions=True)
        assert isinstance(creating, StorageFull)
        assert looking == []


async def test_a_job_whose_lease_is_over_is_claimed_again_although_nobody_swept() -> None:
    async with Broker() as broker:
        await broker.configure(replace(MAIL, max_attempts=2))
        job = await broker.create(valid_for=60 * MINUTE_MS)
        await broker.claim("first")
        broker.time.pass_ms(MAIL.lease)
        claimed = await broker.claim("second")
        assert claimed is not None
        assert (claimed.uid, claimed.claimer) == (job.uid, "second")
