"""Logs of jobs: durable, read while they grow, and carried through compactions and restarts."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from jobengine.engine import compaction
from jobengine.engine.workers import FORGOTTEN_AFTER_MS, WORKERS_MOST, Workers
from jobengine.errors import LeaseLost, LogFull, NotFound, StorageFull
from jobengine.model.blob import BLOB_THRESHOLD_BYTES
from jobengine.model.commands import Act, Claim, Complete, Control, Log, Release, Settle
from jobengine.model.job import Job
from jobengine.model.ledger import Ledger
from jobengine.model.log import JobLog, Stream
from tests.support.brokers import MAIL, MINUTE_MS, Broker, asked
from tests.support.ledgers import everything

OUT, ERR = Stream.OUT, Stream.ERR
BIG = os.urandom(BLOB_THRESHOLD_BYTES + 1)


async def held(broker: Broker, *, worker: str | None = None) -> Job:
    """A claimed job."""
    await broker.configure()
    await broker.create(valid_for=1000 * MINUTE_MS)
    (job,) = await broker.engine.claim(Claim("mail", "reader", worker=worker))
    return job


async def write(broker: Broker, job: Job, data: bytes, *, stream: Stream = OUT, offset: int = 0) -> None:
    """Append."""
    await broker.engine.submit(Log("mail", job.uid, job.lease, stream, offset, data))


async def read(broker: Broker, job: Job) -> dict[Stream, list[tuple[int, bytes]]]:
    """All of a log, big pieces in full."""
    _, log = await broker.engine.log("mail", job.uid)
    found: dict[Stream, list[tuple[int, bytes]]] = {OUT: [], ERR: []}
    for chunk in () if log is None else log.chunks:
        found[chunk.stream].append((chunk.offset, await broker.engine.content(chunk.data)))
    return found


async def test_small_and_big_pieces_are_read_back_after_a_restart_and_a_compaction() -> None:
    async with Broker() as broker:
        job = await held(broker)
        await write(broker, job, b"begin")
        await write(broker, job, BIG, offset=5)
        await write(broker, job, b"end", offset=1_000_000 - 3, stream=ERR)
        expected = {OUT: [(0, b"begin"), (5, BIG)], ERR: [(999_997, b"end")]}
        assert await read(broker, job) == expected
        await broker.engine.compact()
        assert await read(broker, job) == expected
        left = broker.disk.disk.kill()
    async with Broker(left) as again:
        assert await read(again, job) == expected
        assert everything(again.replayed()) == everything(again.ledger)


async def test_what_is_written_during_a_compaction_is_all_in_the_new_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compaction, "TURN_MOST", 2)
    async with Broker() as broker:
        jobs = [await held(broker) for _ in range(12)]
        compacting = asyncio.create_task(broker.engine.compact())
        written = dict.fromkeys((job.uid for job in jobs), b"")
        while not compacting.done():
            for job in jobs:
                piece = BIG if len(written[job.uid]) in range(5, 20) else b"piece"
                await write(broker, job, piece, offset=len(written[job.uid]))
                written[job.uid] += piece
        await compacting
        for job in jobs:
            pieces = (await read(broker, job))[OUT]
            assert b"".join(data for _, data in pieces) == written[job.uid]
        assert _as_held(broker.replayed()) == _as_held(broker.ledger)


def _plain(log: JobLog | None) -> list[tuple[Stream, int, int]]:
    return [] if log is None else [(each.stream, each.offset, each.end) for each in log.chunks]


def _as_held(ledger: Ledger) -> list[list[tuple[Stream, int, int]]]:
    return [_plain(ledger.log("mail", uid)) for uid in sorted(ledger.contents("mail").jobs)]


async def test_a_piece_that_joins_one_which_a_compaction_has_copied_is_not_lost() -> None:
    """The job is fetched apart with the joined piece, of which the new file has the beginning already."""
    async with Broker() as broker:
        job = await held(broker)
        await write(broker, job, b"12345")
        journal = broker.engine._journal
        quiet = journal.quiet

        @asynccontextmanager
        async def meanwhile() -> AsyncIterator[None]:
            await broker.update(job, content=BIG)  # the walk has passed it: it is fetched apart
            await write(broker, job, b"67890", offset=5)
            async with quiet():
                yield

        journal.quiet = meanwhile  # type: ignore[method-assign]
        await broker.engine.compact()
        assert _as_held(broker.replayed()) == _as_held(broker.ledger) == [[(OUT, 0, 10)]]


async def test_a_follower_hears_of_each_piece_and_of_the_end() -> None:
    async with Broker() as broker:
        job = await held(broker)
        _, known = await broker.engine.log("mail", job.uid)
        following = await asked(broker.engine.log("mail", job.uid, known=known, wait=60))
        await write(broker, job, b"hello")
        _, known = await following
        assert known is not None
        assert known.bytes == 5
        following = await asked(broker.engine.log("mail", job.uid, known=known, wait=60))
        await broker.engine.submit(Settle("mail", (Complete(job.uid, job.lease),)))
        now, log = await following
        assert (now.has_ended, log) == (True, known)


async def test_who_follows_a_job_that_goes_is_told() -> None:
    async with Broker() as broker:
        job = await held(broker)
        following = await asked(broker.engine.log("mail", job.uid, wait=60))
        await broker.engine.submit(Control("mail", (job.uid,), Act.DELETE))
        with pytest.raises(NotFound):
            await following


async def test_a_big_piece_that_is_refused_is_not_written() -> None:
    async with Broker() as broker:
        job = await held(broker)
        size = broker.engine.file_bytes()
        with pytest.raises(LeaseLost):
            await write(broker, replace(job, lease=1), os.urandom(100_000))
        with pytest.raises(LogFull):
            await write(broker, job, os.urandom(MAIL.log_bytes * 2))
        assert broker.engine.file_bytes() == size


async def test_a_piece_that_finds_no_room_is_refused_and_a_nearly_full_disk_takes_no_output() -> None:
    async with Broker() as broker:
        job = await held(broker)
        broker.engine.refuse_growth("the disk is nearly full")
        with pytest.raises(StorageFull):
            await write(broker, job, b"hello")
        broker.engine.refuse_growth(None)
        broker.disk.fill()
        with pytest.raises(StorageFull):
            await write(broker, job, b"hello")
        broker.disk.make_room()
        assert await read(broker, job) == {OUT: [], ERR: []}


async def test_what_was_saved_and_is_big_is_there_after_a_compaction() -> None:
    async with Broker() as broker:
        job = await held(broker)
        await broker.engine.submit(Settle("mail", (Release(job.uid, job.lease, saved=BIG),)))
        await broker.engine.compact()
        again = await broker.claim()
        assert again is not None
        assert again.more.saved is not None
        assert await broker.engine.content(again.more.saved) == BIG


async def test_a_worker_is_known_by_its_claims_and_forgotten_after_a_while() -> None:
    async with Broker() as broker:
        job = await held(broker, worker="w1")
        waiting = await asked(broker.engine.claim(Claim("mail", "reader", worker="w2"), wait=60))
        found = {each.name: each.jobs for each in broker.engine.workers(["mail"])}
        assert found == {"w1": (job.uid,), "w2": ()}
        assert broker.engine.workers([]) == []
        broker.time.pass_ms(FORGOTTEN_AFTER_MS)
        assert broker.engine.workers(["mail"]) == []
        waiting.cancel()


def test_only_so_many_workers_are_known() -> None:
    workers = Workers()
    for number in range(WORKERS_MOST + 5):
        workers.see("service", f"worker-{number}", ("mail",), number % 7)
    names = [name for _, name, _ in workers.on({"mail"}, 7)]
    assert (len(names), names[0]) == (WORKERS_MOST, "worker-5")
