"""Durable creates and claims at 32 connections, beside bare aiohttp that keeps nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from benchmarks.bench import Bench
from benchmarks.client import Connection, request
from benchmarks.figures import Figure, in_pairs, milliseconds
from benchmarks.fill import fill
from benchmarks.floor import floor_serving
from benchmarks.job import create_body
from benchmarks.load import Outcome, load
from benchmarks.server import Server, serving

MOST_CLAIMS_A_SECOND = 15_000  # so that the queue does not run dry


def creates(bench: Bench) -> list[Figure]:
    """Creates, of the floor; and how evenly they are answered."""
    outcomes: list[Outcome] = []

    def ours() -> float:
        outcomes.append(load("create", server.port, seconds=bench.scale.seconds))
        return outcomes[-1].rate

    with serving(bench.database("creates")) as server, _floor_beside(bench, server) as floor:
        pairs = in_pairs(
            ours, lambda: load("create", floor, seconds=bench.scale.seconds).rate, pairs=bench.scale.pairs
        )
    return [
        Figure("creates, 32 connections, of bare aiohttp", pairs.ratio, at_least=0.80, note=pairs.note),
        _evenness(outcomes),
    ]


def _evenness(outcomes: list[Outcome]) -> Figure:
    return Figure(
        "p99 of creates, 32 connections, of their median",
        median(outcome.p99 / outcome.p50 for outcome in outcomes),
        at_most=4,
        note=f"p50 {milliseconds(median(outcome.p50 for outcome in outcomes)):.2f} ms, "
        f"p99 {milliseconds(median(outcome.p99 for outcome in outcomes)):.2f} ms",
    )


def claims(bench: Bench) -> list[Figure]:
    """Claims, of the floor's empty answer."""
    jobs = int(bench.scale.pairs * (bench.scale.seconds + 1) * MOST_CLAIMS_A_SECOND)
    database = fill(bench.database("claims"), jobs=jobs)
    with serving(database) as server, _floor_beside(bench, server) as floor:
        pairs = in_pairs(
            lambda: load("claim", server.port, seconds=bench.scale.seconds).rate,
            lambda: load("claim", floor, seconds=bench.scale.seconds).rate,
            pairs=bench.scale.pairs,
        )
        _not_dry(server)
    return [
        Figure(
            "claims, 32 connections, of bare aiohttp's empty answer",
            pairs.ratio,
            at_least=0.60,
            note=f"{pairs.note}; {jobs:,} queued",
        )
    ]


def _not_dry(server: Server) -> None:
    """Claims come in order: one that is answered with a job proves that all before it were."""
    with Connection(server.port) as connection:
        connection.expect(200, request("GET", "/api/v1/jobs/next"))


@contextmanager
def _floor_beside(bench: Bench, server: Server) -> Iterator[int]:
    with Connection(server.port) as connection:
        answer = connection.expect(201, request("PUT", "/api/v1/jobs/create", create_body(50)))
    with floor_serving(bench.directory, answer_bytes=len(answer)) as port:
        yield port
