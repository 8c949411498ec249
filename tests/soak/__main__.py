"""`python -m tests.soak`: try the hard parts of the suite for as long as you like; with names, only those.

Stop it when you like: what it has counted by then is written down, and adds up with what comes later.
"""

import argparse
import signal
import sys

from tests.soak.parts import PARTS
from tests.soak.running import run


def main() -> int:
    """Each part for its share of the time; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="for how long in all (default: 10)")
    parser.add_argument("part", nargs="*", choices=[[], *(part.name for part in PARTS)], help="default: all")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    chosen = [part for part in PARTS if not arguments.part or part.name in arguments.part]
    try:
        kept = [run(part, seconds=arguments.minutes * 60 / len(chosen)) for part in chosen]
    except KeyboardInterrupt:
        print("stopped")
        return 0
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
