"""A disk that does not answer: what still goes on, and that memory is right whatever comes of it."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from jobengine.errors import OutcomeUnknown, Unavailable
from jobengine.journal.stall import HUNG_SECONDS, SLOW_SECONDS
from jobengine.model.blob import BLOB_THRESHOLD_BYTES
from tests.support.brokers import MINUTE_MS, Broker, asked
from tests.support.loop_time import LoopTime


async def outcomes(*asking: "asyncio.Task[Any]") -> list[type]:
    return [type(outcome) for outcome in await asyncio.gather(*asking, return_exceptions=True)]


async def settled(question: Coroutine[Any, Any, object]) -> object:
    """The answer, which must not depend on the disk."""
    asking = await asked(question)
    assert asking.done()
    return asking.result()


async def test_reads_of_what_is_on_disk_go_on() -> None:
    """Lists too, although what is due cannot be swept now."""
    async with Broker() as broker:
        await broker.configure()
        stays, _ = await broker.create(valid_for=60 * MINUTE_MS), await broker.create()
        time = LoopTime()
        broker.disk.hold_syncs()
        broker.engine._journal._sync_anchor()  # nothing that a job depends on hangs
        await asyncio.sleep(0)
        await time.pass_seconds(SLOW_SECONDS)
        broker.time.pass_ms(2 * MINUTE_MS)
        assert await settled(broker.engine.job("mail", stays.uid)) == stays
        assert await settled(broker.jobs()) == [stays]
        assert broker.engine.stalled() is not None
        with pytest.raises(Unavailable):
            await broker.create()
        with pytest.raises(Unavailable):
            await broker.claim()
        assert await settled(broker.jobs()) == [stays]
        broker.disk.let_syncs_go()


async def test_what_was_told_unknown_is_there_when_the_disk_answers_again() -> None:
    async with Broker() as broker:
        await broker.configure()
        time = LoopTime()
        broker.disk.hold_syncs()
        asking = [await asked(broker.create()), await asked(broker.claim()), await asked(broker.jobs())]
        await time.pass_seconds(HUNG_SECONDS)
        assert await outcomes(*asking) == [OutcomeUnknown] * 3
        broker.disk.let_syncs_go()
        while broker.engine.stalled():
            await asyncio.sleep(0)
        (job,) = await broker.jobs()
        assert job.claimer == "reader"
        assert broker.replayed().job("mail", job.uid) == job
        await broker.create()


async def test_a_big_value_keeps_nobody_waiting_for_ever() -> None:
    async with Broker() as broker:
        await broker.configure()
        time = LoopTime()
        broker.disk.hold_syncs()
        asking = await asked(broker.create(content=b"x" * (BLOB_THRESHOLD_BYTES + 1)))
        await time.pass_seconds(HUNG_SECONDS)
        assert await outcomes(asking) == [OutcomeUnknown]
        broker.disk.let_syncs_go()
        while broker.engine.stalled():
            await asyncio.sleep(0)
        assert await broker.jobs() == []


async def test_memory_forgets_what_hung_and_then_found_the_disk_full() -> None:
    async with Broker() as broker:
        await broker.configure()
        job = await broker.create()
        time = LoopTime()
        broker.disk.hold_writes()
        asking = [await asked(broker.claim()), await asked(broker.create())]
        await time.pass_seconds(HUNG_SECONDS)
        assert await outcomes(*asking) == [OutcomeUnknown] * 2
        broker.disk.fill()
        broker.disk.let_writes_go()
        while broker.engine.stalled():
            await asyncio.sleep(0)
        assert await broker.jobs() == [job]
        broker.disk.make_room()
        claimed = await broker.claim()
        assert claimed is not None
        assert claimed.uid == job.uid
        assert broker.replayed().job("mail", job.uid) == claimed
