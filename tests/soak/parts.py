"""All parts, and what all runs of each should come to."""

import secrets
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from tests.crash import commands, rounds
from tests.damage import damages
from tests.disk import failed_syncs, full
from tests.fuzz import searches
from tests.journal import failing
from tests.power import losses
from tests.simulation.simulation import Simulation
from tests.soak.part import Part, Violation

SERVERS_TO_COMMANDS: Final = 5


def _kills(place: Path) -> Iterator[Counter[str]]:
    """Of servers, and now and then of a command that writes a whole file."""
    servers, others = rounds.pieces(place / "servers"), commands.pieces(place / "commands")
    while True:
        yield from islice(servers, SERVERS_TO_COMMANDS)
        yield next(others)


def _simulations(place: Path) -> Iterator[Counter[str]]:
    """Any seeds. Raises Violation, which says how to run one again."""
    while True:
        outcome = Simulation(secrets.randbelow(1 << 40)).run()
        if outcome.violation is not None:
            raise Violation(str(outcome))
        yield +Counter(msgspec.structs.asdict(outcome.counts))


PARTS: Final = (
    Part("kills", {"kills": 10_000, "commands": 2_000}, _kills, minutes=45),
    Part("power", {"states": 2_000_000}, losses.pieces, minutes=22),
    Part("damage", {"damages": 1_000_000}, damages.pieces, minutes=25),
    Part("calls", {"pairs": 1_770}, failing.pieces, minutes=1, is_random=False),
    Part("syncs", {"syncs": 50}, failed_syncs.pieces, minutes=4, is_random=False),
    Part("full-disk", {"disks": 20}, full.pieces, minutes=3, is_random=False),
    Part("simulate", {"seeds": 50_000}, _simulations, minutes=50),
    Part(
        "fuzz",
        {searches.seconds_in(name): seconds for name, seconds in searches.GOAL.items()},
        searches.pieces,
        minutes=165,
    ),
)
