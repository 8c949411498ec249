"""Job libraries with workers of their own, next to ours: jobs that do nothing, in turns."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from msgspec import Struct

from benchmarks.bench import Bench
from benchmarks.peers import postgresql, redis
from benchmarks.peers.peer import WorkerRates
from benchmarks.processes import started, wait_until
from benchmarks.server import serving

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / "data" / "peers-venv" / "bin" / "python"  # `make bench-peers` makes it
CONCURRENCY = 4
JOBS_OF_OPERATIONS = 40  # one job for so many operations: these libraries are slower than bare brokers


class Library(Struct, frozen=True):
    """What runs the jobs: its own interpreter and broker."""

    name: str
    broker: str  # of BROKERS
    remark: str
    python: Path = PYTHON

    @property
    def module(self) -> str:
        """The name that its module of workers/ has behind `with_`."""
        return self.name.lower()


LIBRARIES = (
    Library("JobEngine", "jobengine", "asynchronous functions; encrypted; HTTP", python=Path(sys.executable)),
    Library("Celery", "redis", "threads; acknowledged when done"),
    Library("Dramatiq", "redis", "threads"),
    Library("RQ", "redis", "one job at a time: its worker has no more; no fork for each"),
    Library("Huey", "redis", "threads; a job that a crash interrupts is lost"),
    Library("SAQ", "redis", "asynchronous functions"),
    Library("procrastinate", "postgresql", "asynchronous functions"),
)


def beside_libraries(bench: Bench) -> list[WorkerRates]:
    """Each library that can be run here enqueues jobs, and then does them."""
    jobs = max(20, bench.scale.operations // JOBS_OF_OPERATIONS)
    measured: dict[Library, list[tuple[float, float]]] = {}
    with ExitStack() as stack:
        brokers = dict(_brokers(bench, stack))
        libraries = [library for library in LIBRARIES if _runs(bench, library, brokers)]
        for number in range(bench.scale.pairs):
            bench.say(f"workers, round {number + 1} of {bench.scale.pairs}, {jobs:,} jobs each")
            for library in libraries:
                rates = _measure(bench, library, brokers[library.broker], jobs)
                measured.setdefault(library, []).append(rates)
    return [_median(library, rates) for library, rates in measured.items()]


def _brokers(bench: Bench, stack: ExitStack) -> Iterator[tuple[str, str]]:
    """Name and address of each broker that is installed, all empty."""
    server = stack.enter_context(serving(bench.database("workers")))
    yield "jobengine", f"http://127.0.0.1:{server.port}"
    if redis.installed():
        port = stack.enter_context(redis.redis_server(_place(bench, "workers-redis")))
        yield "redis", f"redis://127.0.0.1:{port}/"
    if postgresql.installed():
        port = stack.enter_context(postgresql.postgresql_server(_place(bench, "workers-postgresql")))
        yield "postgresql", f"postgresql://bench@127.0.0.1:{port}/postgres"


def _place(bench: Bench, name: str) -> Path:
    directory = bench.directory / name
    directory.mkdir()
    return directory


def _runs(bench: Bench, library: Library, brokers: dict[str, str]) -> bool:
    is_there = library.python.exists() and library.broker in brokers
    if not is_there:
        bench.say(f"{library.name} or its broker is not installed: see `make bench-peers`")
    return is_there


def _measure(bench: Bench, library: Library, broker: str, jobs: int) -> tuple[float, float]:
    """Jobs enqueued and jobs done, a second."""
    if library.broker == "redis":
        # What another library left: each has the broker to itself.
        subprocess.run(["redis-cli", "-u", broker, "FLUSHALL"], check=True, capture_output=True, timeout=60)
    tally, log = bench.directory / "tally", bench.directory / f"workers-{library.module}.log"
    tally.unlink(missing_ok=True)
    environment = {
        "BENCH_JOBS": str(jobs),
        "BENCH_CONCURRENCY": str(CONCURRENCY),
        "BENCH_BROKER": broker,
        "BENCH_TALLY": str(tally),
        "PYTHONPATH": str(ROOT),
    }
    enqueued = _enqueue(library, environment)
    with started(_command(library, "work"), log=log, environment=environment) as process:
        wait_until(tally.exists, process, log=log)
    return jobs / enqueued, jobs / float(tally.read_text())


def _enqueue(library: Library, environment: dict[str, str]) -> float:
    """The seconds that it took."""
    run = subprocess.run(
        _command(library, "enqueue"),
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    if run.returncode:
        raise RuntimeError(f"{library.name} did not enqueue: {run.stderr[-2000:]}")
    return float(run.stdout.split()[-1])


def _command(library: Library, side: str) -> list[str]:
    return [str(library.python), "-m", "benchmarks.peers.workers", library.module, side]


def _median(library: Library, rates: list[tuple[float, float]]) -> WorkerRates:
    enqueued, done = (median(column) for column in zip(*rates, strict=True))
    return WorkerRates(library.name, enqueued, done, library.remark)
