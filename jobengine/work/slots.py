"""Which slots of a worker are taken: of each queue, and of all."""

import sys
from collections.abc import Mapping
from heapq import heappop, heappush

from msgspec import Struct, field


class _Numbers(Struct):
    """Those of one queue. What is free below the highest that was ever taken lies in a heap."""

    free: list[int] = field(default_factory=list)
    highest: int = 0

    @property
    def taken(self) -> int:
        return self.highest - len(self.free)


class Slots:
    """How much may be run at once, and how much is.

    What is taken stays taken when less is allowed; then nothing more fits until enough was given back.
    """

    def __init__(self) -> None:
        self.most = sys.maxsize  # of all queues together
        self.width = 0  # how much there can be at once, where nothing is left from what was allowed before
        self.taken = 0
        self._most_of: dict[str, int] = {}
        self._numbers: dict[str, _Numbers] = {}  # also of queues that are not worked on any more

    def allow(self, most_of: Mapping[str, int], *, most: int = 0) -> None:
        """So many of each queue, and of no other; and so many of all, where 0 is no limit but theirs."""
        self._most_of = dict(most_of)
        self.most = most or sys.maxsize
        self.width = min(self.most, sum(most_of.values()))
        kept = {queue: numbers for queue, numbers in self._numbers.items() if numbers.taken}
        self._numbers = {queue: _Numbers() for queue in most_of} | kept

    def free_of(self, queue: str) -> int:
        """How many more of this queue fit, as far as the queue goes."""
        return max(0, self._most_of[queue] - self._numbers[queue].taken) if queue in self._most_of else 0

    def free(self) -> dict[str, int]:
        """The queues of which more fit, and how many."""
        return {queue: free for queue in self._most_of if (free := self.free_of(queue))}

    def fits(self, queue: str) -> bool:
        """Whether one more of this queue may be run."""
        return self.taken < self.most and self.free_of(queue) > 0

    def take(self, queue: str) -> int:
        """The least number, from 1 on, that no other of this queue has."""
        numbers = self._numbers[queue]
        self.taken += 1
        if numbers.free:
            return heappop(numbers.free)
        numbers.highest += 1
        return numbers.highest

    def give_back(self, queue: str, number: int) -> None:
        """It has ended."""
        numbers = self._numbers[queue]
        heappush(numbers.free, number)
        self.taken -= 1
        if not numbers.taken and queue not in self._most_of:
            del self._numbers[queue]
