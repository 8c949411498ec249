"""Compaction while commands go on: nothing is lost, doubled or changed."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from jobengine.engine import compaction
from jobengine.engine.interface import Compacted
from jobengine.errors import BadState, Damaged, NotFound, StorageFull, Unavailable
from jobengine.journal.header import read_header
from jobengine.model.blob import BLOB_THRESHOLD_BYTES, Blob
from jobengine.model.commands import (
    Act,
    Amend,
    Claim,
    ClaimAny,
    Command,
    Complete,
    Configure,
    Control,
    Create,
    Created,
    Draft,
    Fail,
    Idempotency,
    Options,
    Progress,
    Settle,
    Steer,
    Update,
)
from jobengine.model.job import Job
from jobengine.model.keys import Key
from jobengine.model.ledger import Ledger
from jobengine.model.states import State
from tests.support.brokers import MAIL, MINUTE_MS, PATH, Broker, asked
from tests.support.commands import create, delete

LETTERS, PARCELS = replace(MAIL, name="letters"), replace(MAIL, name="parcels")
STATES = (State.QUEUED, State.INPROGRESS, State.COMPLETE, State.FAILED)
NEW = PATH.with_name(PATH.name + ".new")


@pytest.fixture(autouse=True)
def _small_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "TURN_MOST", 2)


def jobs_in(ledger: Ledger) -> dict[str, list[Job]]:
    """All jobs by queue, in order; of a big value only what it is, not where it stands."""
    return {
        queue.name: [_without_place(job) for job in ledger.contents(queue.name).order.after(-1)]
        for queue in ledger.queues()
    }


def _without_place(job: Job) -> Job:
    content, result = job.content, job.more.result
    if isinstance(content, Blob):
        job = replace(job, content=content.digest)
    return replace(job, extra=replace(job.more, result=result.digest)) if isinstance(result, Blob) else job


def keys_in(ledger: Ledger) -> list[Key]:
    """All idempotency keys."""
    return ledger.keys.behind(0, len(ledger.keys))


@asynccontextmanager
async def filled(jobs: int = 30) -> AsyncIterator[Broker]:
    """A broker with jobs in all states and two queues, some with big values."""
    async with Broker() as broker:
        await broker.configure(MAIL, LETTERS)
        for number in range(jobs):
            queue = "letters" if number % 3 else "mail"
            size = BLOB_THRESHOLD_BYTES + 1 if number % 5 == 0 else number
            job = await broker.create(priority=1 + number * 37 % 100, content=os.urandom(size), queue=queue)
            await broker.update(job, state=STATES[number % 4])
            key = Idempotency(bytes([number]), b"body")
            await broker.engine.submit(Create("mail", (Draft(b"{}", 50, MINUTE_MS),), key))
        yield broker


class Callers:
    """Ask for anything at all, by a seed, for as long as a compaction lasts."""

    def __init__(self, broker: Broker, seed: int) -> None:
        self._broker = broker
        self._random = Random(seed)
        self._known: list[Job] = []

    async def go_on(self, until: "asyncio.Task[Compacted]") -> None:
        """Several at once."""
        await asyncio.gather(*(self._ask_until(until) for _ in range(4)))

    async def _ask_until(self, until: "asyncio.Task[Compacted]") -> None:
        while not until.done():
            try:
                answer = await self._broker.engine.submit(self._command())
            except (NotFound, BadState):
                continue
            jobs = answer.jobs if isinstance(answer, Created) else answer
            self._known += [job for job in _each(jobs) if isinstance(job, Job)]
            await asyncio.sleep(0)

    def _command(self) -> Command:
        random = self._random
        known = random.choice(self._known) if self._known else None
        chance = random.random()
        if known is None or chance < 0.25:
            return create(self._queue(), self._content(), random.randint(1, 100), MINUTE_MS)
        if chance < 0.45:
            return Claim(self._queue(), "reader")
        if chance < 0.6:
            return delete(known.queue, known.uid)
        if chance < 0.8:
            return self._of_version_two(known)
        if chance < 0.82:
            others = [queue for queue in (LETTERS, PARCELS) if random.random() < 0.7]
            return Configure((MAIL, *others))
        return Update(
            known.queue,
            known.uid,
            "writer",
            may_write=True,
            state=random.choice((None, *STATES)),
            priority=random.choice((None, 1, 50, 100)),
            content=random.choice((None, self._content())),
        )

    def _of_version_two(self, known: Job) -> Command:
        random, queue = self._random, known.queue
        options = Options(unique_key="k", replaces=True, tags=("t",), delay=random.choice((0, 1)))
        settlements = (
            Complete(known.uid, known.lease, self._content()),
            Fail(known.uid, known.lease, text="no", delay=0),
            Progress(known.uid, known.lease, b"1"),
        )
        others = tuple(random.sample([job.uid for job in self._known], min(3, len(self._known))))
        return random.choice(
            (
                Create(
                    self._queue(),
                    tuple(Draft(self._content(), 50, None, options) for _ in range(2)),
                    Idempotency(random.randbytes(1), b"body"),
                ),
                ClaimAny((("mail", 1), ("letters", 2)), "reader", most=3),
                Settle(queue, (random.choice(settlements),)),
                Settle(queue, (random.choice(settlements),)),
                Control(queue, (known.uid, *others), random.choice(tuple(Act)), self._queue()),
                Control(queue, (known.uid,), Act.MOVE, self._queue()),
                Amend(queue, known.uid, content=self._content(), tags=("u",)),
                Steer(queue, is_paused=random.choice((True, False))),
            )
        )

    def _queue(self) -> str:
        return self._random.choice(("mail", "mail", "letters", "parcels"))

    def _content(self) -> bytes:
        return self._random.randbytes(self._random.choice((2, 2, 2, BLOB_THRESHOLD_BYTES + 1)))


def _each(answer: object) -> tuple[object, ...]:
    return answer if isinstance(answer, tuple) else (answer,)


@pytest.mark.parametrize("seed", range(12))
async def test_what_memory_holds_is_in_the_file_whatever_happens_meanwhile(seed: int) -> None:
    async with filled() as broker:
        for generation in range(2):
            compacting = asyncio.create_task(broker.engine.compact())
            await Callers(broker, seed + 100 * generation).go_on(compacting)
            await compacting
            assert jobs_in(broker.replayed()) == jobs_in(broker.ledger)
            assert keys_in(broker.replayed()) == keys_in(broker.ledger) != []
            await broker.create(content=b"behind it")
        assert jobs_in(broker.replayed()) == jobs_in(broker.ledger)
        blobs = [blob for job in await broker.jobs() for blob in job.blobs]
        for blob in blobs:
            assert len(await broker.engine.content(blob)) == BLOB_THRESHOLD_BYTES + 1


async def test_the_file_gets_smaller_and_says_so() -> None:
    async with filled() as broker:
        for job in (await broker.jobs("letters"))[1:]:
            await broker.engine.submit(delete("letters", job.uid))
        before = broker.engine.file_bytes()
        compacted = await broker.engine.compact()
        assert compacted.bytes_before == before
        assert compacted.bytes_after == broker.engine.file_bytes() == len(broker.disk.disk.content(PATH))
        assert compacted.bytes_after < before / 2
        assert compacted.sequence == broker.engine.sequence()


async def test_a_second_compaction_is_refused_while_one_is_under_way() -> None:
    async with filled() as broker:
        first = await asked(broker.engine.compact())
        with pytest.raises(Unavailable, match="under way"):
            await broker.engine.compact()
        await first


async def test_a_disk_that_fills_up_leaves_the_old_file_in_use() -> None:
    async with filled() as broker:
        header = read_header(broker.disk.disk.content(PATH))[0]
        compacting = await asked(broker.engine.compact())
        broker.disk.fill()
        with pytest.raises(StorageFull):
            await broker.create()
        with pytest.raises(StorageFull):  # its own, or that of a change that it waited for
            await compacting
        broker.disk.make_room()
        await broker.create()
        assert read_header(broker.disk.disk.content(PATH))[0] == header
        assert NEW not in broker.disk.disk.files
        assert jobs_in(broker.replayed()) == jobs_in(broker.ledger)
        await broker.engine.compact()
        assert jobs_in(broker.replayed()) == jobs_in(broker.ledger)


async def test_a_stop_does_not_wait_for_it() -> None:
    async with filled() as broker:
        compacting = await asked(broker.engine.compact())
        await broker.engine.stop()
        with pytest.raises(Unavailable, match="the server stops"):
            await compacting
        assert NEW not in broker.disk.disk.files
        with pytest.raises(Unavailable, match="the server stops"):
            await broker.engine.compact()
        assert jobs_in(broker.replayed()) == jobs_in(broker.ledger)
        broker.engine, again = Broker(broker.disk.disk.kill()).start().engine, broker.engine
        assert again is not broker.engine


async def test_a_compaction_whose_asker_is_gone_leaves_nothing_behind() -> None:
    async with filled() as broker:
        compacting = await asked(broker.engine.compact())
        compacting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await compacting
        assert NEW not in broker.disk.disk.files
        await broker.engine.compact()
        assert jobs_in(broker.replayed()) == jobs_in(broker.ledger)


async def test_a_large_file_in_the_real_world_is_compacted_too(tmp_path: Path) -> None:
    from tests.engine.test_opening import jobs_of, opened, wasteful, without_places

    path = tmp_path / "jobs.queuedb"
    left, size = await wasteful(path), path.stat().st_size
    engine = opened(path)
    await engine.compact()
    assert path.stat().st_size < size / 3
    (added,) = (await engine.submit(create("mail", b"{}", 1, MINUTE_MS))).jobs
    assert without_places(await jobs_of(engine))[:-1] == without_places(left)
    await engine.stop()
    again = opened(path)
    assert without_places(await jobs_of(again))[:-1] == without_places(left)
    assert (await jobs_of(again))[-1] == (added, b"{}")
    await again.stop()


async def test_what_waited_for_the_disk_when_it_began_does_not_come_behind_the_snapshot() -> None:
    """Its job may be gone by then: a start could make nothing of the change."""
    async with Broker() as broker:
        await broker.configure()
        job = await broker.create()
        broker.disk.hold_syncs()
        under_way = await asked(broker.create())
        waiting = [
            await asked(broker.update(job, priority=77)),
            await asked(broker.engine.submit(delete("mail", job.uid))),
        ]
        compacting = asyncio.create_task(broker.engine.compact())
        await asyncio.wait([compacting], timeout=0.5)  # as far as it can get by itself
        broker.disk.let_syncs_go()
        await asyncio.gather(under_way, *waiting, compacting)
        assert jobs_in(broker.replayed()) == jobs_in(broker.ledger)


async def test_a_compaction_that_is_cancelled_as_it_begins_is_in_nobodys_way() -> None:
    """Its thread goes on for a moment: its file must not become the next one's."""
    async with Broker() as broker:
        await broker.configure()
        for _ in range(5):
            await broker.create()
        gate, free_bytes = threading.Event(), broker.disk.disk.free_bytes

        def slowly(path: Path) -> int:
            gate.wait()
            return free_bytes(path)

        broker.disk.disk.free_bytes = slowly  # type: ignore[method-assign]
        cancelled = await asked(broker.engine.compact())
        cancelled.cancel()
        await asyncio.sleep(0.01)
        with pytest.raises(Unavailable):
            await broker.engine.compact()
        gate.set()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        assert NEW not in broker.disk.disk.files
        await broker.engine.compact()
        assert jobs_in(broker.replayed()) == jobs_in(broker.ledger)


async def test_a_job_whose_big_value_is_damaged_is_named() -> None:
    async with Broker() as broker:
        await broker.configure()
        job = await broker.create(content=b"x" * 100_000)
        assert isinstance(job.content, Blob)
        file = broker.disk.disk.files[PATH]
        for content in (file.seen, file.durable):
            content[job.content.offsets[0] + 500] ^= 1
        with pytest.raises(Damaged, match=job.uid):
            await broker.engine.compact()


async def test_a_value_is_not_read_for_ever_once_the_journal_is_closed() -> None:
    broker = Broker().start()
    await broker.configure()
    job = await broker.create(content=b"x" * 100_000)
    await broker.engine.stop()
    async with asyncio.timeout(10):
        with pytest.raises(Unavailable):
            await broker.engine.content(job.content)


async def test_the_old_file_is_given_up_on_another_thread_than_the_one_that_writes() -> None:
    async with Broker() as broker:
        await broker.configure()
        await broker.create()
        closers: list[str] = []
        close = broker.disk.disk.close

        def noted(file: int) -> None:
            closers.append(threading.current_thread().name)
            close(file)

        broker.disk.disk.close = noted  # type: ignore[method-assign]
        await broker.engine.compact()
        assert closers
        assert "journal" not in closers
