"""A caller that goes away changes nothing for the others."""

import asyncio
import contextlib

from jobengine.model.blob import BLOB_THRESHOLD_BYTES
from jobengine.model.commands import Claim
from tests.support.brokers import Broker, asked
from tests.support.ledgers import everything


async def cancelled(asking: "asyncio.Task[object]") -> None:
    """Let this caller go away."""
    asking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asking


async def test_one_cancelled_caller_does_not_keep_the_others_waiting() -> None:
    async with Broker() as broker:
        await broker.configure()
        broker.disk.hold_syncs()
        asking = [await asked(broker.create()) for _ in range(6)]
        for one in asking[::2]:
            await cancelled(one)
        broker.disk.let_syncs_go()
        answered = await asyncio.gather(*asking[1::2])
        listed = [job.uid for job in await broker.jobs()]
        assert [job.uid for job in answered] == listed[1::2]


async def test_what_a_cancelled_caller_asked_is_done_whole() -> None:
    async with Broker() as broker:
        await broker.configure()
        await broker.create()
        broker.disk.hold_syncs()
        await cancelled(await asked(broker.engine.submit(Claim("mail", "reader"))))
        broker.disk.let_syncs_go()
        assert await broker.claim("another") is None
        assert everything(broker.replayed()) == everything(broker.ledger)


async def test_a_cancelled_reader_does_not_keep_the_others_waiting() -> None:
    async with Broker() as broker:
        await broker.configure()
        broker.disk.hold_syncs()
        creating = await asked(broker.create())
        first, second = await asked(broker.jobs()), await asked(broker.jobs())
        await cancelled(first)
        broker.disk.let_syncs_go()
        assert await second == [await creating]


async def test_a_caller_cancelled_while_its_big_value_is_written_leaves_no_job() -> None:
    async with Broker() as broker:
        await broker.configure()
        broker.disk.hold_syncs()
        await cancelled(await asked(broker.create(content=b"x" * (BLOB_THRESHOLD_BYTES + 1))))
        broker.disk.let_syncs_go()
        small = await broker.create()
        assert await broker.jobs() == [small]


async def test_callers_that_come_and_go_at_any_moment_lose_nothing_that_was_answered() -> None:
    async with Broker() as broker:
        await broker.configure()
        asking = [asyncio.create_task(broker.create()) for _ in range(200)]
        for number, one in enumerate(asking):
            if number % 3 == 0:
                one.cancel()
            if number % 7 == 0:
                await asyncio.sleep(0)
        answered = await asyncio.gather(*asking, return_exceptions=True)
        created = {job.uid for job in answered if not isinstance(job, BaseException)}
        assert len(created) >= 100
        assert created <= {job.uid for job in await broker.jobs()}
        assert everything(broker.replayed()) == everything(broker.ledger)
