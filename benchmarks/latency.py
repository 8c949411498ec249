"""From a create to its answer on one connection, beside a bare fdatasync of as many bytes."""

from statistics import median

from benchmarks.bench import Bench
from benchmarks.client import Connection, request, timed
from benchmarks.disk import appending
from benchmarks.figures import Figure, milliseconds, percentile
from benchmarks.job import random_bodies
from benchmarks.server import serving

AT_ONCE = 200  # requests of one side before the other's turn


def latency(bench: Bench) -> list[Figure]:
    """How much the broker adds to the disk's own time."""
    database = bench.database("latency")
    requests = [request("PUT", "/api/v1/jobs/create", body) for body in random_bodies(AT_ONCE)]
    answered: list[float] = []
    synced: list[float] = []
    with serving(database) as server, Connection(server.port) as connection:
        size = database.stat().st_size
        timed(connection, requests, status=201)
        frame = (database.stat().st_size - size) // AT_ONCE
        with appending(bench.directory, size=frame) as append:
            for _ in range(4 * bench.scale.pairs):
                answered += timed(connection, requests, status=201)
                synced += [append() for _ in range(AT_ONCE)]
    return [_above(answered, synced, frame)]


def _above(answered: list[float], synced: list[float], frame: int) -> Figure:
    return Figure(
        "create to answer, one connection, above one fdatasync of the same size",
        milliseconds(median(answered) - median(synced)),
        "ms",
        at_most=0.5,
        note=f"median {milliseconds(median(answered)):.3f} ms, fdatasync of {frame:,} bytes "
        f"{milliseconds(median(synced)):.3f} ms; p99 {milliseconds(percentile(answered, 99)):.2f} ms and "
        f"{milliseconds(percentile(synced, 99)):.2f} ms",
    )
