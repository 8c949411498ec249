"""All parts, and what all runs of each should come to."""

import secrets
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from tests.crash import rounds
from tests.damage import damages
from tests.disk import failed_syncs, full
from tests.journal import failing
from tests.power import losses
from tests.simulation.simulation import Simulation
from tests.soak.part import Part, Violation


def _simulations(place: Path) -> Iterator[Counter[str]]:
    """Any seeds. Raises Violation, which says how to run one again."""
    while True:
        outcome = Simulation(secrets.randbelow(1 << 40)).run()
        if outcome.violation is not None:
            raise Violation(str(outcome))
        yield +Counter(msgspec.structs.asdict(outcome.counts))


PARTS: Final = (
    Part("kills", {"kills": 10_000}, rounds.pieces),
    Part("power", {"states": 2_000_000}, losses.pieces),
    Part("damage", {"damages": 1_000_000}, damages.pieces),
    Part("calls", {"pairs": 1_770}, failing.pieces),
    Part("syncs", {"syncs": 50}, failed_syncs.pieces),
    Part("full-disk", {"disks": 20}, full.pieces),
    Part("simulate", {"seeds": 50_000}, _simulations),
)
