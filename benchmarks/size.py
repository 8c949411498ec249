"""What a million waiting jobs cost: memory, bytes in the file, time to start."""

from statistics import median

from benchmarks.bench import Bench
from benchmarks.figures import Figure
from benchmarks.server import copy_database, serving

STARTS = 3


def size(bench: Bench) -> list[Figure]:
    """Memory and file per job, and how long a start takes."""
    left = bench.left
    with serving(bench.database("empty")) as server:
        empty = server.resident
    seconds, resident = zip(*(_start(bench) for _ in range(STARTS)), strict=True)
    jobs = f"{left.jobs:,}"
    return [
        Figure(
            f"memory per queued job, {jobs} of them, after a start",
            (median(resident) - empty) / left.jobs,
            "bytes",
            at_most=770,
            note=f"{median(resident) / 1e6:,.0f} MB resident, {empty / 1e6:,.0f} MB without jobs",
        ),
        Figure(
            f"memory per queued job, {jobs} of them, as they came by HTTP",
            left.grown_bytes / left.jobs,
            "bytes",
            at_most=770,
        ),
        Figure(
            f"start with {jobs} jobs in the file that 32 connections left",
            median(seconds),
            "s",
            at_most=5,
            note=f"{STARTS} starts, {min(seconds):.2f} to {max(seconds):.2f} s, the file in the page cache",
        ),
        Figure("file bytes per job at 32 connections", left.file_bytes / left.jobs, "bytes", at_most=500),
    ]


def _start(bench: Bench) -> tuple[float, int]:
    database = copy_database(bench.left.database, bench.database("start"))
    with serving(database) as server:
        bench.say(f"started in {server.start_seconds:.2f} s")
        return server.start_seconds, server.resident
