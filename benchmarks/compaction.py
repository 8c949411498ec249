"""Writing the file anew while it is in use, and how large it grows in a long life."""

import asyncio
import time
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from statistics import median

from msgspec import Struct

from benchmarks.bench import Bench
from benchmarks.figures import Figure, milliseconds
from benchmarks.job import QUEUE, content
from benchmarks.load import Outcome, load
from benchmarks.server import SECRET, copy_database, serving
from jobengine.control.client import Control
from jobengine.control.protocol import Compact
from jobengine.engine.interface import Compacted
from jobengine.engine.local import LocalEngine
from jobengine.engine.opening import open_engine
from jobengine.model.commands import Claim, Configure, Create, Draft, Sweep, Update
from jobengine.model.queue import Queue
from jobengine.model.states import State
from jobengine.upkeep.compactor import Compactor

WINDOW_SECONDS = 2
LIVE_JOBS = 1_000
AT_ONCE = 100  # lives that go on side by side
MOST_MIB = 128
MEBIBYTE = 1024 * 1024


class Windows(Struct, frozen=True):
    """What wrk saw in several short runs."""

    runs: list[Outcome]

    @property
    def rate(self) -> float:
        """Requests a second."""
        return median(run.rate for run in self.runs)

    @property
    def p99(self) -> float:
        """Seconds."""
        return median(run.p99 for run in self.runs)

    @property
    def slowest(self) -> float:
        """Seconds, of all requests."""
        return max(run.slowest for run in self.runs)


def compaction(bench: Bench) -> list[Figure]:
    """Creates and claims at 32 connections while a million jobs are written anew, beside the same without."""
    database = copy_database(bench.left.database, bench.database("compaction"))
    with serving(database) as server, ProcessPoolExecutor(1) as other:
        before = Windows([_window(server.port) for _ in range(bench.scale.pairs)])
        compacting = other.submit(_compact, database)
        during = Windows(_while_busy(server.port, compacting))
        compacted = compacting.result()
    return _figures(f"compaction of {bench.left.jobs:,} jobs", compacted, before=before, during=during)


def _compact(database: Path) -> Compacted:
    control = Control.reach(database)
    if control is None:
        raise RuntimeError("the server's control socket is not there")
    return control.ask(Compact(), Compacted)


def _window(port: int) -> Outcome:
    return load("create_and_claim", port, seconds=WINDOW_SECONDS)


def _while_busy(port: int, busy: "Future[Compacted]") -> list[Outcome]:
    runs: list[Outcome] = []
    while not busy.done():
        run = _window(port)
        if not busy.done() or not runs:
            runs.append(run)
    return runs


def _figures(name: str, compacted: Compacted, *, before: Windows, during: Windows) -> list[Figure]:
    return [
        Figure(
            name,
            compacted.seconds,
            "s",
            note=f"{compacted.bytes_before / 1e6:,.0f} MB before, {compacted.bytes_after / 1e6:,.0f} after",
        ),
        Figure(
            f"p99 during a {name}, of p99 without",
            during.p99 / before.p99,
            at_most=3,
            note=f"{milliseconds(during.p99):.1f} ms, {milliseconds(before.p99):.1f} ms without",
        ),
        Figure(
            f"slowest request during a {name}",
            milliseconds(during.slowest),
            "ms",
            at_most=100,
            note=f"without: {milliseconds(before.slowest):.1f} ms",
        ),
        Figure(
            f"throughput during a {name}, of that without",
            during.rate / before.rate,
            at_least=0.6,
            note=f"{during.rate:,.0f}/s, {before.rate:,.0f}/s without",
        ),
    ]


def cycles(bench: Bench) -> list[Figure]:
    """Whole lives of jobs, one after the other, with a thousand waiting: the file must stay small."""
    database = bench.database("cycles")
    begun = time.monotonic()
    largest, compactions = asyncio.run(_live(database, bench.scale.jobs))
    return [
        Figure(
            f"file after {bench.scale.jobs:,} lives of jobs, {LIVE_JOBS:,} waiting, at its largest",
            largest / MEBIBYTE,
            "MiB",
            at_most=MOST_MIB,
            note=f"{database.stat().st_size / MEBIBYTE:.1f} MiB in the end, {compactions} compactions; "
            f"{time.monotonic() - begun:.0f} s",
        )
    ]


async def _live(database: Path, lives: int) -> tuple[int, int]:
    engine = open_engine(database, SECRET)
    engine.start(on_failure=lambda _: None)
    compactor = Compactor(engine, above_bytes=64 * MEBIBYTE, live_ratio=0.5)
    await engine.submit(Configure((Queue(QUEUE, keep=1, lease=600_000),)))
    await asyncio.gather(*(_create(engine) for _ in range(LIVE_JOBS)))
    largest, compactions, compacting = 0, 0, asyncio.create_task(asyncio.sleep(0))
    for _ in range(lives // AT_ONCE):
        await asyncio.gather(*(_one_life(engine) for _ in range(AT_ONCE)))
        await engine.submit(Sweep(2 * AT_ONCE))
        largest = max(largest, engine.file_bytes())
        if compacting.done() and compactor.is_worth_it():
            compactions += 1
            compacting = asyncio.create_task(_turn(compactor))
    await compacting
    await engine.stop()
    return largest, compactions


async def _turn(compactor: Compactor) -> None:
    await compactor.turn()


async def _create(engine: LocalEngine) -> None:
    await engine.submit(Create(QUEUE, (Draft(content().encode(), 50, 600_000),)))


async def _one_life(engine: LocalEngine) -> None:
    await _create(engine)
    (job,) = await engine.submit(Claim(QUEUE, "bench"))
    await engine.submit(Update(QUEUE, job.uid, "bench", may_write=False, state=State.COMPLETE))
