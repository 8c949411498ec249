"""python -m benchmarks: measure, print, and (after a whole run) write RESULTS.md."""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from benchmarks import (
    background,
    big_values,
    compaction,
    depth,
    latency,
    running,
    size,
    throughput,
    v2,
    verify,
    waiting,
)
from benchmarks.bench import Bench, Scale
from benchmarks.figures import Figure
from benchmarks.machine import MEMORY_FILE_SYSTEMS, describe, file_system
from benchmarks.peers.libraries import beside_libraries
from benchmarks.peers.peer import Rates, WorkerRates
from benchmarks.peers.rounds import beside_peers
from benchmarks.report import RESULTS, figures_table, peers_table, render, workers_table

BENCHMARKS: Final[dict[str, Callable[[Bench], list[Figure]]]] = {
    "creates": throughput.creates,
    "claims": throughput.claims,
    "depth": depth.depth,
    "latency": latency.latency,
    "size": size.size,
    "verify": verify.verify,
    "big-values": big_values.big_values,
    "list": background.listing,
    "sweep": background.sweep,
    "compaction": compaction.compaction,
    "cycles": compaction.cycles,
    "v2-lists": v2.lists,
    "v2-singles": v2.singles,
    "v2-page": v2.page,
    "waiting": waiting.handing_out,
    "many-waiting": waiting.many,
    "run-programs": running.programs,
    "run-payloads": running.payloads,
    "run-classes": running.classes,
    "run-output": running.output,
    "run-bundles": running.bundles,
}
PEERS: Final = "peers"
NAMES: Final = [*BENCHMARKS, PEERS]
LEAST_PAIRS: Final = 5  # that a result is written for
DATA = Path(__file__).parent.parent / "data"  # git ignores it; the disk that the checkout is on


def main() -> int:
    """Exit code 0 when everything measured is as it must be, else 1."""
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended too
    if shutil.which("wrk") is None:
        print("wrk is missing: install Debian's package wrk, or run `make bench-peers`.", file=sys.stderr)
        return 1
    DATA.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="benchmarks-", dir=DATA) as directory:
        if file_system(Path(directory)) in MEMORY_FILE_SYSTEMS:
            print(f"{DATA} is not on a disk: nothing measured there would be true.", file=sys.stderr)
            return 1
        return _measure(options, Path(directory))


def _measure(options: argparse.Namespace, directory: Path) -> int:
    machine = describe(directory)
    bench = Bench(directory, _scale(options))
    begun = time.monotonic()
    figures = [figure for name in options.only if name != PEERS for figure in _run(name, bench)]
    peers: list[Rates] = beside_peers(bench) if PEERS in options.only and options.peers else []
    workers: list[WorkerRates] = beside_libraries(bench) if PEERS in options.only and options.peers else []
    machine["took"] = f"{(time.monotonic() - begun) / 60:.1f} minutes"
    tables = [figures_table(figures)]
    tables += [peers_table(peers)] if peers else []
    tables += [workers_table(workers)] if workers else []
    print(*tables, sep="\n\n")
    is_whole = not options.quick and options.only == NAMES and options.peers and options.pairs >= LEAST_PAIRS
    if is_whole:
        command = " ".join(["python -m benchmarks", *sys.argv[1:]])
        RESULTS.write_text(render(figures, peers, workers, machine=machine, command=command))
    return 1 if any(figure.met is False for figure in figures) else 0


def _run(name: str, bench: Bench) -> Sequence[Figure]:
    print(f"{name} …", file=sys.stderr, flush=True)
    figures = BENCHMARKS[name](bench)
    for figure in figures:
        bench.say(f"{figure.name}: {figure.shown} {figure.bound and f'(must be {figure.bound})'}")
    bench.tidy()
    return figures


def _scale(options: argparse.Namespace) -> Scale:
    if options.quick:
        return Scale(jobs=100_000, seconds=1, pairs=options.pairs, big_values=400, operations=3_200)
    return Scale(jobs=1_000_000, seconds=5, pairs=options.pairs, big_values=2_000, operations=19_200)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure speed and memory. Only a whole run, not --quick, writes benchmarks/RESULTS.md.",
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the jobs, a fifth of the time")
    parser.add_argument(
        "--only", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help=", ".join(NAMES)
    )
    parser.add_argument("--pairs", type=int, default=5, help="turns of each side (default 5)")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="leave other brokers out")
    return parser


if __name__ == "__main__":
    sys.exit(main())
