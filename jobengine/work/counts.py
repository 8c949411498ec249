"""What has been run so far, by queue and slot."""

from collections import defaultdict
from collections.abc import Mapping

from msgspec import Struct


class RunCount(Struct):
    """Of one slot, since the worker was started."""

    jobs: int = 0
    seconds: float = 0.0


class RunCounts:
    """Of all slots of one worker."""

    def __init__(self) -> None:
        self._by_queue: defaultdict[str, dict[int, RunCount]] = defaultdict(dict)

    def add(self, queue: str, slot: int, seconds: float) -> None:
        """One more job has run there."""
        count = self._by_queue[queue].setdefault(slot, RunCount())
        count.jobs += 1
        count.seconds += seconds

    def of(self, queue: str) -> Mapping[int, RunCount]:
        """By slot, from 1 on."""
        return self._by_queue.get(queue, {})
