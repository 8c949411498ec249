"""`python -m tests.simulation`: simulate seed after seed, on all processors.

Ends with the counts; the exit code is 1 when a promise was broken, and the last steps before it are printed.
"""

import argparse
import os
import secrets
import sys
import time
from collections.abc import Iterator
from functools import partial
from itertools import count
from math import inf
from multiprocessing import Pool

from tests.simulation.counts import Counts
from tests.simulation.simulation import OPERATIONS, Outcome, Simulation


def main() -> int:
    """Simulate as many seeds as asked, or for as long as asked."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=500, help="how many (default: 500)")
    parser.add_argument("--first", type=int, help="the first of them (default: 0; with --minutes, any)")
    parser.add_argument("--minutes", type=float, help="for how long, instead of how many")
    parser.add_argument("--operations", type=int, default=OPERATIONS, help="of each seed (default: 500)")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="side by side (default: all)")
    options = parser.parse_args()
    if options.minutes is None:
        first = options.first or 0
        seeds, seconds = iter(range(first, first + options.seeds)), inf
    else:
        first = secrets.randbelow(1 << 40) if options.first is None else options.first
        seeds, seconds = count(first), options.minutes * 60
    counts = simulate(seeds, seconds, operations=options.operations, processes=options.processes)
    print(("\r" if sys.stdout.isatty() else "") + str(counts))
    return 1 if counts.violations else 0


def simulate(
    seeds: Iterator[int],
    seconds: float = inf,
    *,
    operations: int = OPERATIONS,
    processes: int | None = None,
) -> Counts:
    """Simulate these for at most so long, or until one breaks a promise: that one is printed."""
    counts, end = Counts(), time.monotonic() + seconds
    with Pool(processes) as pool:
        try:
            for outcome in pool.imap_unordered(partial(_run, operations=operations), seeds):
                counts.add(outcome.counts)
                if outcome.violation is not None:
                    print(f"\n{outcome}")
                    break
                if sys.stdout.isatty():
                    print(f"\r{counts.seeds} seeds", end="", flush=True)
                if time.monotonic() >= end:
                    break
        except KeyboardInterrupt:
            print("\nstopped")
    return counts


def _run(seed: int, *, operations: int) -> Outcome:
    return Simulation(seed, operations=operations).run()


if __name__ == "__main__":
    sys.exit(main())
