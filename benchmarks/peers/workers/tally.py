"""What a job that does nothing calls: it tells when the first and the last of them were done."""

import itertools
import os
import time
from pathlib import Path

JOBS = int(os.environ.get("BENCH_JOBS", "0"))
CONCURRENCY = int(os.environ.get("BENCH_CONCURRENCY", "1"))
BROKER = os.environ.get("BENCH_BROKER", "")

_done = itertools.count(1)  # a step of it is one step of the interpreter, safe between threads
_first: list[float] = []


def tally() -> None:
    """Count a job; behind the last one, write the seconds since the first one began."""
    number = next(_done)
    if number == 1:
        _first.append(time.perf_counter())
    if number == JOBS:
        path = Path(os.environ["BENCH_TALLY"])
        unfinished = path.with_suffix(".part")
        unfinished.write_text(str(time.perf_counter() - _first[0]))
        unfinished.rename(path)
