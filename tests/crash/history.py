"""Is there an order of the operations that explains all that was seen? (Linearizability, for one job.)

Operations on a job that overlap in time may have happened in either order; those that do not, in their own.
One without an answer may have happened at any time after it was sent, or never. The search is that of Wing
and Gong, "Testing and verifying concurrent objects" (1993).
"""

from collections.abc import Iterable, Iterator, Sequence

from tests.crash.ledger import Event
from tests.crash.life import Life, after

Moment = tuple[Life, frozenset[int]]  # the job, and which events are still to come


def explain(befores: Iterable[Life], events: Sequence[Event]) -> frozenset[Life]:
    """What the job may be now; empty when no order explains what was seen."""
    every = frozenset(range(len(events)))
    to_visit: list[Moment] = [(before, every) for before in befores]
    visited: set[Moment] = set(to_visit)
    ends: set[Life] = set()
    while to_visit:
        life, left = to_visit.pop()
        if all(events[index].ended is None for index in left):
            ends.add(life)
        for following in _following(life, left, events):
            if following not in visited:
                visited.add(following)
                to_visit.append(following)
    return frozenset(ends)


def _following(life: Life, left: frozenset[int], events: Sequence[Event]) -> Iterator[Moment]:
    """One event on: any of those that began before another had to have ended."""
    ended = [event.ended for event in (events[index] for index in left) if event.ended is not None]
    first_end = min(ended, default=None)
    for index in left:
        if first_end is None or events[index].began < first_end:
            for next_life in after(life, events[index]):
                yield next_life, left - {index}
