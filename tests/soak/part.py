"""A part of the suite that can go on for as long as one likes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean

from msgspec import Struct

from tests.soak.results import Counts


class Violation(AssertionError):
    """A promise was broken."""


class Part(Struct, frozen=True):
    """Work without end, in pieces of some seconds at most. Each gives what it has counted.

    A piece raises Violation, and leaves what tells more about it in the directory that it was given.
    """

    name: str
    goal: dict[str, int]  # what all runs together should come to
    pieces: Callable[[Path], Iterator[Counts]]
    minutes: float  # that the goal takes, about, on two processors
    is_random: bool = True  # each piece is another one, so that several processes may each do some

    def done(self, counts: Counts) -> float:
        """How much of the goal these are, from 0 to 1."""
        return fmean(min(1.0, counts.get(name, 0) / number) for name, number in self.goal.items())

    def minutes_left(self, counts: Counts) -> float:
        """How long it will take, about, when so much is done."""
        return self.minutes * (1 - self.done(counts))
