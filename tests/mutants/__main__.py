"""`python -m tests.mutants`: put each bug into a copy of the code; its test must notice.

With names behind it: only those.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import Mutant
from tests.mutants.workshop import ALL_SECONDS, Verdict, Workshop

SIDE_BY_SIDE = 2


def main(names: Sequence[str]) -> int:
    """1 when a mutant was not caught, 2 when there is none of a name."""
    if unknown := set(names) - {mutant.name for mutant in MUTANTS}:
        print(f"there is no mutant named {', '.join(sorted(unknown))}")
        return 2
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="jobengine-mutants-") as place:
        workshops = [Workshop(Path(place, str(number))) for number in range(SIDE_BY_SIDE)]
        code, said = workshops[0].run(dict.fromkeys(mutant.test for mutant in chosen), seconds=ALL_SECONDS)
        if code != 0:
            print(f"{said}\nThe tests are red without any bug.")
            return 1
        verdicts = _judge(chosen, workshops)
    caught = verdicts.count(Verdict.CAUGHT)
    print(f"{caught} of {len(chosen)} caught in {time.monotonic() - started:.0f} s")
    return 0 if caught == len(chosen) else 1


def _judge(mutants: Sequence[Mutant], workshops: Sequence[Workshop]) -> list[Verdict]:
    free: SimpleQueue[Workshop] = SimpleQueue()
    for workshop in workshops:
        free.put(workshop)

    def judge(mutant: Mutant) -> Verdict:
        workshop = free.get()
        try:
            return workshop.judge(mutant)
        finally:
            free.put(workshop)

    verdicts = []
    with ThreadPoolExecutor(len(workshops)) as threads:
        for mutant, verdict in zip(mutants, threads.map(judge, mutants), strict=True):
            verdicts.append(verdict)
            print(f"{len(verdicts):3} of {len(mutants)}  {verdict:6}  {mutant.name}", flush=True)
            if verdict is not Verdict.CAUGHT:
                print(f"    {mutant.breaks}\n    {mutant.file}; {mutant.test}")
    return verdicts


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
