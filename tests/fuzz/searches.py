"""Searching without end: some seconds in one target, then in another."""

import secrets
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.fuzz import of_the_configuration, of_the_file, of_the_filter, of_the_server
from tests.fuzz.target import Found, search_for
from tests.soak.part import Violation

PIECE_SECONDS: Final = 5
anyhow = secrets.SystemRandom()
INSIDE: Final = (*of_the_file.TARGETS, *of_the_configuration.TARGETS, *of_the_filter.TARGETS)
GOAL: Final = {  # seconds that all runs together should search in each
    **dict.fromkeys(("frame-heads", "bodies", "headers", "configurations"), 3600),
    **dict.fromkeys(("requests", "requests-v2"), 1800),
    **dict.fromkeys(("frames", "files", "anchors"), 300),  # other parts of the suite spoil these as well
    **dict.fromkeys(("filters", "control-lines"), 300),
}


def seconds_in(name: str) -> str:
    """What the seconds spent in a target are counted as."""
    return f"seconds of {name}"


def pieces(place: Path) -> Iterator[Counter[str]]:
    """In any target, each time with new numbers. Raises Violation."""
    with of_the_server.targets(place) as of_a_server:
        targets = (*INSIDE, *of_a_server)
        weights = [GOAL[target.name] for target in targets]
        while True:
            [target] = anyhow.choices(targets, weights)
            try:
                inputs = search_for(target, PIECE_SECONDS, first=secrets.randbelow(1 << 40))
            except Found as found:
                raise Violation(f"{found}\nIt is kept as {found.keep()}") from None
            yield Counter({seconds_in(target.name): PIECE_SECONDS, "inputs": inputs})
