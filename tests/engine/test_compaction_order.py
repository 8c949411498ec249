"""A compaction while the disk is slow: what it finds in memory, and the copies of what changes meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from jobengine.engine import compaction
from jobengine.engine.walk import Walk
from jobengine.errors import StorageFull
from jobengine.model.commands import Act, Claim, Control, Log
from jobengine.model.ledger import Ledger
from jobengine.model.log import Stream
from jobengine.model.states import State
from tests.support.brokers import MAIL, Broker, GuardedDisk, asked, recovered
from tests.support.disk import SimulatedDisk

LETTERS = replace(MAIL, name="letters")


@pytest.fixture(autouse=True)
def _short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "TURN_MOST", 2)


def held(ledger: Ledger) -> dict[str, list[tuple[Any, ...]]]:
    """What a ledger holds, places of big values apart."""
    return {
        queue.name: [
            (job.uid, job.state, job.priority, job.updated)
            for job in ledger.contents(queue.name).order.after(-1)
        ]
        for queue in ledger.queues()
    }


async def until(is_so: Callable[[], object]) -> None:
    """Wait for it."""
    async with asyncio.timeout(10):
        while not is_so():  # what happens on the other thread tells nobody
            await asyncio.sleep(0.001)


def walk_of(broker: Broker) -> Walk | None:
    """Where the compaction is, when there is one."""
    under_way = broker.engine._compaction
    return None if under_way is None else under_way._walk


@asynccontextmanager
async def compacting(broker: Broker):  # type: ignore[no-untyped-def]  # a generator of a walk
    """A compaction that has begun, while the file in use is not synced; then it is, to its end."""
    file = broker.engine._journal._volume.reader._file
    under_way = asyncio.create_task(broker.engine.compact())
    await until(lambda: (walk := walk_of(broker)) is not None and walk._order > 0)
    broker.disk.hold_syncs(file)
    writing = await asked(broker.create())  # from now on everything waits behind this one
    walk = walk_of(broker)
    assert walk is not None
    yield walk
    await asyncio.wait([under_way], timeout=0.3)  # as far as it can get by itself
    broker.disk.let_syncs_go()
    await asyncio.gather(under_way, writing, return_exceptions=True)


async def test_the_walk_does_not_overtake_the_copies_of_what_changed_before_it_came() -> None:
    async with Broker() as broker:
        await broker.configure()
        job = await broker.create(priority=100)
        for _ in range(20):
            await broker.create()
        async with compacting(broker):
            moved = await asked(broker.update(job, priority=1))  # to a place that the walk still comes to
            done = await asked(broker.update(job, state=State.COMPLETE))
        assert (await done).state is State.COMPLETE
        await moved
        assert held(broker.replayed()) == held(broker.ledger)


async def test_a_job_that_leaps_over_the_walk_with_another_content_takes_its_log_along() -> None:
    async with Broker() as broker:
        await broker.configure()
        await broker.create()
        (job,) = await broker.engine.claim(Claim("mail", "reader"))
        await broker.engine.submit(Log("mail", job.uid, job.lease, Stream.OUT, 0, b"hello"))
        for _ in range(20):
            await broker.create()
        async with compacting(broker) as walk:
            assert not walk._is_copied(job)
            moved = await asked(broker.update(job, priority=100, state=State.QUEUED, content=b"[1]"))
        await moved
        log = broker.ledger.log("mail", job.uid)
        assert log is not None
        assert broker.replayed().log("mail", job.uid) == log


async def test_a_queue_that_is_dropped_and_comes_back_in_one_slow_sync_keeps_its_new_jobs() -> None:
    async with Broker() as broker:
        await broker.configure(MAIL, LETTERS)
        for _ in range(20):
            await broker.create()
        async with compacting(broker):
            asking = [
                await asked(broker.configure(MAIL)),
                await asked(broker.configure(MAIL, LETTERS)),
                await asked(broker.create(queue="letters")),
            ]
        await asyncio.gather(*asking)
        assert len(held(broker.replayed())["letters"]) == 1
        assert held(broker.replayed()) == held(broker.ledger)


async def test_what_is_refused_is_not_in_the_new_file() -> None:
    async with Broker() as broker:
        await broker.configure(MAIL, LETTERS)
        for _ in range(20):
            await broker.create()
        done = await broker.create(queue="letters")
        rename = broker.disk.disk.rename

        def rename_and_fill(*names: Any) -> None:
            rename(*names)
            broker.disk.fill()

        broker.disk.disk.rename = rename_and_fill  # type: ignore[method-assign]
        async with compacting(broker):
            asking = [
                await asked(broker.create(priority=7, queue="letters")),
                await asked(broker.update(done, state=State.COMPLETE)),
            ]
        answers = await asyncio.gather(*asking, return_exceptions=True)
        assert all(isinstance(each, StorageFull) or each is not None for each in answers)
        broker.disk.make_room()
        await broker.create()
        assert held(broker.replayed()) == held(broker.ledger)


async def test_a_job_that_is_apart_and_goes_does_not_come_back_as_it_was_before() -> None:
    """Its change is told, its going is not yet: the new file must hold one of them. Found by `make kills`."""
    async with Broker() as broker:
        await broker.configure()
        job = await broker.create()
        journal, loop = broker.engine._journal, asyncio.get_running_loop()
        quiet, rename, disk = journal.quiet, broker.disk.disk.rename, broker.disk.disk
        asking: list[asyncio.Task[Any]] = []
        left: list[SimulatedDisk] = []

        @asynccontextmanager
        async def meanwhile() -> AsyncIterator[None]:
            await broker.update(job, content=b"x" * 20_000)  # the walk has passed it: it is fetched apart
            broker.disk.hold_syncs(journal._volume.reader._file)
            asking.append(await asked(broker.create()))
            asking.append(await asked(broker.engine.submit(Control("mail", (job.uid,), Act.DELETE))))
            loop.call_later(0.05, broker.disk.let_syncs_go)
            async with quiet():
                yield

        def rename_and_look(*names: Any) -> None:
            rename(*names)
            left.append(disk.kill())

        journal.quiet = meanwhile  # type: ignore[method-assign]
        disk.rename = rename_and_look  # type: ignore[method-assign]
        await broker.engine.compact()
        await asyncio.gather(*asking)
        ledger, _ = recovered(GuardedDisk(left[0]), broker.time)
        found = ledger.job("mail", job.uid)
        assert found is None or found.content != job.content
