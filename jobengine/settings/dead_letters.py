"""Where queues send what has failed for good."""

from collections.abc import Mapping
from typing import Final

LEADS_BACK: Final = "must not lead back to this queue: what fails everywhere would go round for ever"


def lead_back(targets: Mapping[str, str | None], queue: str) -> bool:
    """Whether the dead letters of a queue come back to it over others, each sent on to its own target."""
    seen: set[str] = set()
    current = targets.get(queue)
    while current is not None and current not in seen:
        if current == queue:
            return True
        seen.add(current)
        current = targets.get(current)
    return False
