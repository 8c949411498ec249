"""A part of the suite that can go on for as long as one likes."""

from collections.abc import Callable, Iterator
from pathlib import Path

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
