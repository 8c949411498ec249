"""Work beside the requests: a list of everything, and the sweep of jobs that are all due at once."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor

from msgspec import Struct

from benchmarks.bench import Bench
from benchmarks.client import Connection, request, timed
from benchmarks.figures import Figure, milliseconds, percentile
from benchmarks.fill import fill
from benchmarks.job import create_body
from benchmarks.server import Server, copy_database, serving

# The most urgent of all, so that the claim that follows takes this very job.
CREATE = request("PUT", "/api/v1/jobs/create", create_body(100))
CLAIM = request("GET", "/api/v1/jobs/next")
LIST = request("GET", "/api/v1/jobs")
SWEEP_SECONDS = 120  # at most


class Seen(Struct, frozen=True):
    """Seconds that the requests of one connection took."""

    creates: list[float]
    claims: list[float]

    @property
    def note(self) -> str:
        """For comparison."""
        return (
            f"p99 {milliseconds(percentile(self.creates, 99)):.2f} ms create, "
            f"{milliseconds(percentile(self.claims, 99)):.2f} ms claim"
        )

    @property
    def slowest(self) -> float:
        """Of all requests."""
        return max(*self.creates, *self.claims)


def watch(server: Server, busy: Callable[[], bool]) -> Seen:
    """Create and claim on one connection, in turns, as long as it is busy."""
    creates: list[float] = []
    claims: list[float] = []
    with Connection(server.port) as connection:
        while busy():
            for _ in range(100):
                creates += timed(connection, [CREATE], status=201)
                claims += timed(connection, [CLAIM], status=200)
    return Seen(creates, claims)


def for_seconds(seconds: float) -> Callable[[], bool]:
    """True for so long."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() < end


def listing(bench: Bench) -> list[Figure]:
    """A list of a million jobs, and what others notice of it."""
    database = copy_database(bench.left.database, bench.database("listing"))
    with serving(database) as server, ProcessPoolExecutor(1) as reader:
        before = watch(server, for_seconds(bench.scale.seconds))
        listed = reader.submit(read_list, server.port)
        during = watch(server, lambda: not listed.done())
    return _listing_figures(bench, listed, before=before, during=during)


def read_list(port: int) -> tuple[float, float, int]:
    """Read the whole list: seconds to the first byte, to the last, bytes."""
    with Connection(port) as connection:
        return connection.first_byte_and_all(LIST)


def _listing_figures(
    bench: Bench, listed: "Future[tuple[float, float, int]]", *, before: Seen, during: Seen
) -> list[Figure]:
    first, total, length = listed.result()
    name = f"list of {bench.left.jobs:,} jobs"
    return [
        Figure(f"{name}, first byte", milliseconds(first), "ms"),
        Figure(f"{name}, all of it", total, "s", note=f"{length / 1e6:,.0f} MB"),
        *_noticed(f"during a {name}", before=before, during=during),
    ]


def sweep(bench: Bench) -> list[Figure]:
    """A million jobs are due at one moment, and what others notice of it."""
    due = time.time() + 15 + bench.scale.seconds + bench.scale.jobs / 25_000
    database = fill(bench.database("sweep"), jobs=bench.scale.jobs, expires=int(due * 1000))
    with serving(database) as server:
        before = watch(server, for_seconds(bench.scale.seconds))
        bench.say(f"all are due in {due - time.time():.0f} s")
        time.sleep(max(0.0, due - time.time()))
        begun = time.monotonic()
        during = watch(server, lambda: server.queued() > 0 and time.monotonic() < begun + SWEEP_SECONDS)
        seconds, still_there = time.monotonic() - begun, server.queued()
    name = f"sweep of {bench.scale.jobs:,} jobs due at once"
    return [
        Figure(name, seconds, "s", note=f"{still_there:,} were left"),
        *_noticed(f"during a {name}", before=before, during=during),
    ]


def _noticed(during_what: str, *, before: Seen, during: Seen) -> list[Figure]:
    worst = percentile(during.creates, 99)
    return [
        Figure(
            f"p99 of creates {during_what}",
            milliseconds(worst),
            "ms",
            note=f"{during.note}; without: {before.note}",
        ),
        Figure(
            f"slowest request {during_what}",
            milliseconds(during.slowest),
            "ms",
            note=f"without: {milliseconds(before.slowest):.2f} ms",
        ),
    ]
