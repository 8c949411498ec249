"""python -m benchmarks.peers.workers LIBRARY enqueue|work: one side of a library, by itself."""

import importlib
import sys
import time

from benchmarks.peers.workers.tally import JOBS


def main() -> None:
    """`enqueue` prints how many seconds all jobs took; `work` goes on until it is ended."""
    _, library, side = sys.argv
    module = importlib.import_module(f"benchmarks.peers.workers.with_{library}")
    if side == "work":
        module.work()
        return
    module.prepare()
    begun = time.perf_counter()
    module.enqueue(JOBS)
    print(time.perf_counter() - begun)


if __name__ == "__main__":
    main()
