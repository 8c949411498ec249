"""`python -m tests.soak`: try the hard parts of the suite for as long as you like; with names, only those.

Each part gets its share of the minutes by what is left of it. Stop it when you like: what it has counted by
then is written down, and adds up with what comes later.
"""

import argparse
import signal
import sys
from collections.abc import Sequence

from tests.soak.part import Part
from tests.soak.parts import PARTS
from tests.soak.results import current_commit
from tests.soak.running import all_done, run, shares, standing


def main() -> int:
    """Each part for its share of the time; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="for how long in all (default: 10)")
    parser.add_argument("part", nargs="*", choices=[[], *(part.name for part in PARTS)], help="default: all")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    chosen = [part for part in PARTS if not arguments.part or part.name in arguments.part]
    try:
        kept = _run_all(chosen, seconds=arguments.minutes * 60)
    except KeyboardInterrupt:
        print("stopped")
        kept = True
    _tell_standing(chosen)
    return 0 if kept else 1


def _run_all(parts: Sequence[Part], *, seconds: float) -> bool:
    done = all_done(parts, commit=current_commit())
    kept = [run(part, seconds=share) for part, share in zip(parts, shares(parts, done, seconds), strict=True)]
    return all(kept)


def _tell_standing(parts: Sequence[Part]) -> None:
    commit = current_commit()
    print(f"\nAt {commit}:")
    for part, counts in zip(parts, all_done(parts, commit=commit), strict=True):
        print(standing(part, counts))


if __name__ == "__main__":
    sys.exit(main())
