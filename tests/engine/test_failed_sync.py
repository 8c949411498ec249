"""After a failed sync nobody knows what the disk holds: the engine says so, and stops for good."""

import asyncio

import pytest

from jobengine.errors import InputOutputFailed, OutcomeUnknown
from jobengine.model.blob import BLOB_THRESHOLD_BYTES
from tests.support.brokers import Broker, asked


async def test_all_who_wait_are_told_that_nobody_knows() -> None:
    async with Broker() as broker:
        await broker.configure()
        await broker.create()
        broker.disk.hold_syncs()
        asking = [await asked(broker.create()), await asked(broker.claim()), await asked(broker.jobs())]
        asking.append(await asked(broker.create(content=b"x" * (BLOB_THRESHOLD_BYTES + 1))))
        broker.disk.sync_fails = True
        broker.disk.let_syncs_go()
        outcomes = await asyncio.gather(*asking, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [OutcomeUnknown] * 4


async def test_the_failure_is_told_once() -> None:
    async with Broker() as broker:
        await broker.configure()
        broker.disk.sync_fails = True
        for _ in range(3):
            with pytest.raises(OutcomeUnknown):
                await broker.create()
        assert [type(failure) for failure in broker.failures] == [InputOutputFailed]


async def test_nothing_is_answered_any_more_although_the_disk_is_well_again() -> None:
    async with Broker() as broker:
        await broker.configure()
        job = await broker.create()
        broker.disk.sync_fails = True
        with pytest.raises(OutcomeUnknown):
            await broker.claim()
        broker.disk.sync_fails = False
        asking = [broker.create(), broker.claim(), broker.jobs(), broker.engine.job("mail", job.uid)]
        outcomes = await asyncio.gather(*asking, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [OutcomeUnknown] * 4


async def test_no_sync_is_tried_again() -> None:
    async with Broker() as broker:
        await broker.configure()
        broker.disk.sync_fails = True
        with pytest.raises(OutcomeUnknown):
            await broker.create()
        calls = len(broker.disk.calls)
        with pytest.raises(OutcomeUnknown):
            await broker.create()
        assert len(broker.disk.calls) == calls
