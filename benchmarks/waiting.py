"""Long polls: how soon a waiting claimer has its job, and what very many who wait cost."""

import resource
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median

from benchmarks.bench import Bench
from benchmarks.client import Connection, request, timed
from benchmarks.disk import appending
from benchmarks.figures import Figure, milliseconds, percentile
from benchmarks.job import QUEUE, SERVICE, content
from benchmarks.server import Server, serving

AT_ONCE = 100  # requests of one side before the other's turn
CREATES = 500
WAITING = 10_000
SPARE_CONNECTIONS = 100
IDLE = "idle"  # the queue in which nothing comes
KIBIBYTE = 1024
CONFIGURATION = f"""\
  {IDLE}:
    read: [{SERVICE}]
    write: []
limits:
  connections: {WAITING + SPARE_CONNECTIONS}
"""


def handing_out(bench: Bench) -> list[Figure]:
    """From a create to the claimer that waits for it, above one sync."""
    database = bench.database("waiting")
    claim = request("POST", f"/api/v2/queues/{QUEUE}/claim", b'{"wait":60}')
    with (
        serving(database) as server,
        Connection(server.port) as claimer,
        Connection(server.port) as creator,
    ):
        size = database.stat().st_size
        seconds = [_handed_out(claimer, claim, creator) for _ in range(AT_ONCE)]
        frame = (database.stat().st_size - size) // (2 * AT_ONCE)  # a create and its claim are two
        synced: list[float] = []
        with appending(bench.directory, size=frame) as append:
            for _ in range(bench.scale.pairs):
                seconds += [_handed_out(claimer, claim, creator) for _ in range(AT_ONCE)]
                synced += [append() for _ in range(AT_ONCE)]
    return [
        Figure(
            "create to a waiting claimer, above one fdatasync",
            milliseconds(median(seconds) - median(synced)),
            "ms",
            at_most=2,
            note=f"median {milliseconds(median(seconds)):.3f} ms, fdatasync of {frame:,} bytes "
            f"{milliseconds(median(synced)):.3f} ms; p99 {milliseconds(percentile(seconds, 99)):.2f} ms",
        )
    ]


def _handed_out(claimer: Connection, claim: bytes, creator: Connection) -> float:
    claimer.send(claim)
    creator.expect(200, request("GET", f"/api/v2/queues/{QUEUE}"))  # so that the claimer waits by now
    begun = time.perf_counter()
    creator.send(_create())
    claimer.receive(200)
    seconds = time.perf_counter() - begun
    creator.receive(201)
    return seconds


def many(bench: Bench) -> list[Figure]:
    """What 10,000 who wait take of memory, and of the others' time."""
    creates = [_create()] * CREATES
    with (
        serving(bench.database("many-waiting"), more=CONFIGURATION) as server,
        Connection(server.port) as connection,
    ):
        alone = timed(connection, creates, status=201)
        before = server.resident
        with _waiting(server):
            grown = server.resident - before
            beside = timed(connection, creates, status=201)
        alone += timed(connection, creates, status=201)
    return [
        Figure(f"memory of each of {WAITING:,} who wait", grown / WAITING / KIBIBYTE, "KiB", at_most=30),
        Figure(
            f"create to answer beside {WAITING:,} who wait, of the same without",
            median(beside) / median(alone),
            at_most=2,
            note=f"median {milliseconds(median(beside)):.3f} ms and {milliseconds(median(alone)):.3f} ms",
        ),
    ]


@contextmanager
def _waiting(server: Server) -> Iterator[None]:
    """So many long polls under way while the block runs."""
    _allow_open_files(WAITING + SPARE_CONNECTIONS)
    claim = request("POST", f"/api/v2/queues/{IDLE}/claim", b'{"wait":60}')
    with ExitStack() as opened:
        for _ in range(WAITING):
            opened.enter_context(Connection(server.port)).send(claim)
        with Connection(server.port) as connection:
            connection.expect(200, request("GET", f"/api/v2/queues/{IDLE}"))  # so that all have arrived
        yield


def _allow_open_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, count + SPARE_CONNECTIONS)), hard))


def _create() -> bytes:
    return request("POST", f"/api/v2/queues/{QUEUE}/jobs", f'{{"content":{content()}}}'.encode())
