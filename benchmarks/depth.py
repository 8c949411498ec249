"""Does a long queue cost speed? Creates and claims in turns, with many jobs queued and with few."""

from benchmarks.bench import Bench
from benchmarks.figures import Figure, in_pairs
from benchmarks.fill import fill
from benchmarks.load import load
from benchmarks.server import copy_database, serving

FEW = 1_000


def depth(bench: Bench) -> list[Figure]:
    """With a million, of the same with a thousand."""
    many = copy_database(bench.left.database, bench.database("many"))
    few = fill(bench.database("few"), jobs=FEW)
    with serving(many) as long, serving(few) as short:
        pairs = in_pairs(
            lambda: load("create_and_claim", long.port, seconds=bench.scale.seconds).rate,
            lambda: load("create_and_claim", short.port, seconds=bench.scale.seconds).rate,
            pairs=bench.scale.pairs,
        )
    name = f"create and claim with {bench.left.jobs:,} jobs queued, of the same with {FEW:,}"
    return [Figure(name, pairs.ratio, at_least=0.90, note=pairs.note)]
