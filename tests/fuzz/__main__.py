"""`python -m tests.fuzz`: junk for all that reads bytes from outside, with new numbers each time.

Ends with the counts; the exit code is 1 when something bore an input badly: it is printed, and written down.
"""

import argparse
import secrets
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz import of_the_server, searches
from tests.fuzz.target import Found, Target, search_for


def main() -> int:
    """Search in all targets, one after the other, for as long as asked."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="for all together (default: 60)")
    parser.add_argument("--minutes", type=float, help="the same in minutes")
    parser.add_argument("--first", type=int, help="the first number (default: any)")
    options = parser.parse_args()
    seconds = options.seconds if options.minutes is None else options.minutes * 60
    first = secrets.randbelow(1 << 40) if options.first is None else options.first
    with tempfile.TemporaryDirectory(prefix="jobengine-fuzz-") as place:
        return fuzz(Path(place), seconds, first=first)


def fuzz(place: Path, seconds: float, *, first: int) -> int:
    """Search for so long; 1 when something was found."""
    with of_the_server.targets(place) as of_a_server:
        targets = (*searches.INSIDE, *of_a_server)
        try:
            return _fuzz(targets, seconds / len(targets), first=first)
        except KeyboardInterrupt:
            print("stopped")
            return 0


def _fuzz(targets: Sequence[Target], seconds: float, *, first: int) -> int:
    found = 0
    for target in targets:
        try:
            print(f"{target.name}: {search_for(target, seconds, first=first)} inputs, 0 found", flush=True)
        except Found as badly:
            found += 1
            print(f"{badly}\nIt is kept as {badly.keep()}", flush=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
