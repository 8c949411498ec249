"""API v2: lists of jobs, single lives, and a page out of very many."""

import json
from statistics import median

from benchmarks.bench import Bench
from benchmarks.client import Connection, request, timed
from benchmarks.figures import Figure, in_pairs, milliseconds, percentile
from benchmarks.floor import floor_serving
from benchmarks.job import QUEUE, content
from benchmarks.load import load
from benchmarks.server import copy_database, serving

LIST = 100  # jobs in a request
STEPS = 3  # of a life: create, claim, complete
PAGES = 200
PAGE_MOST_MS = 5.0


def lists(bench: Bench) -> list[Figure]:
    """Creates, and whole lives, in lists of 100."""
    with serving(bench.database("lists")) as server:
        created = [_rate("v2_create_list", server.port, bench) * LIST for _ in range(bench.scale.pairs)]
    with serving(bench.database("lives")) as server:
        lived = [_rate("v2_life_lists", server.port, bench) * LIST / STEPS for _ in range(bench.scale.pairs)]
    return [
        Figure("jobs created, lists of 100", median(created), "/s", at_least=100_000, note=_spread(created)),
        Figure("life cycles, lists of 100", median(lived), "/s", at_least=30_000, note=_spread(lived)),
    ]


def singles(bench: Bench) -> list[Figure]:
    """Whole lives with single requests, beside bare aiohttp: a life is three of its requests."""
    with serving(bench.database("singles")) as server:
        with Connection(server.port) as connection:
            body = json.dumps({"content": json.loads(content())}).encode()
            answer = connection.expect(201, request("POST", f"/api/v2/queues/{QUEUE}/jobs", body))
        with floor_serving(bench.directory, answer_bytes=len(answer)) as floor:
            pairs = in_pairs(
                lambda: _rate("v2_life", server.port, bench) / STEPS,
                lambda: _rate("create", floor, bench) / STEPS,
                pairs=bench.scale.pairs,
            )
    name = "life cycles, single requests, 32 connections, of a third of bare aiohttp"
    return [Figure(name, pairs.ratio, at_least=0.70, note=pairs.note)]


def page(bench: Bench) -> list[Figure]:
    """Pages of 50 by state: the first one, and those behind cursors."""
    with (
        serving(copy_database(bench.left.database, bench.database("page"))) as server,
        Connection(server.port) as connection,
    ):
        path = f"/api/v2/queues/{QUEUE}/jobs?state=queued&limit=50"
        first = timed(connection, [request("GET", path)] * PAGES, status=200)
        behind: list[float] = []
        cursor = _next(connection, path)
        for _ in range(PAGES):
            asked = f"{path}&cursor={cursor}"
            behind += timed(connection, [request("GET", asked)], status=200)
            cursor = _next(connection, asked)
    seconds = first + behind
    return [
        Figure(
            f"a page of 50 out of {bench.left.jobs:,} jobs, by state",
            milliseconds(median(seconds)),
            "ms",
            at_most=PAGE_MOST_MS,
            note=f"p99 {milliseconds(percentile(seconds, 99)):.2f} ms",
        )
    ]


def _next(connection: Connection, path: str) -> str:
    return str(json.loads(connection.expect(200, request("GET", path)))["next_cursor"])


def _rate(script: str, port: int, bench: Bench) -> float:
    return load(script, port, seconds=bench.scale.seconds).rate


def _spread(rates: list[float]) -> str:
    return f"{min(rates):,.0f}/s to {max(rates):,.0f}/s in {len(rates)} turns"
