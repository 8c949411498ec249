"""`python -m tests.crash`: kill the server under load for as long as you like.

Stop it when you like: what it has counted by then is written down.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path
from random import Random

from tests.crash.counts import RESULTS, ROOT, current_commit, record
from tests.crash.rounds import PLAN, Rounds, Violation


def main() -> int:
    """Kill for as long as asked; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="for how long (default: 10)")
    minutes = parser.parse_args().minutes
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    place = Path(tempfile.mkdtemp(prefix="jobengine-crash-"))
    started, commit = time.monotonic(), current_commit()
    with Rounds(place, Random()) as rounds:
        try:
            _kill_until(rounds, started + minutes * 60)
            rounds.finish()
        except KeyboardInterrupt:
            print("\nstopped")
        except Violation as violation:
            print(f"\n{violation}\nThe database, its log and the ledger are kept in {place}")
    total = record(rounds.counts, commit=commit, seconds=time.monotonic() - started)
    if not rounds.counts.violations:
        shutil.rmtree(place)
    print(f"\n{rounds.counts}\nAll runs of this commit ({RESULTS.relative_to(ROOT)}): {total}")
    return 1 if rounds.counts.violations else 0


def _kill_until(rounds: Rounds, end: float) -> None:
    for kill in cycle(PLAN):
        if time.monotonic() >= end:
            return
        rounds.round(kill)
        print(f"\r{rounds.counts.all_kills} kills, {rounds.counts.operations} operations", end="", flush=True)


if __name__ == "__main__":
    sys.exit(main())
