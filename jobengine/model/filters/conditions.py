"""What a filter asks of a job. What a job does not have fulfils nothing; of several values one is enough."""

from collections.abc import Callable
from typing import Any, Final, Protocol

from msgspec import Struct

from jobengine.model.filters.look import Look, Sign, Value
from jobengine.model.order import LIVING
from jobengine.model.states import State

ALL_STATES: Final = frozenset(LIVING)

Values = Callable[[Look], tuple[Value, ...]]
Compare = Callable[[Any, Any], bool]  # of two numbers, or two texts


class Condition(Protocol):
    """One thing that is asked, or several together."""

    @property
    def states(self) -> frozenset[State]:
        """Those in which a job can fulfil it."""

    def holds(self, look: Look) -> bool:
        """Whether this job fulfils it."""


class AllOf(Struct, frozen=True):
    """Joined by `and`."""

    parts: tuple[Condition, ...]

    @property
    def states(self) -> frozenset[State]:
        """Those in which all can hold."""
        return ALL_STATES.intersection(*(part.states for part in self.parts))

    def holds(self, look: Look) -> bool:
        """Whether all hold."""
        for part in self.parts:  # noqa: SIM110  # all() would make a generator for each job
            if not part.holds(look):
                return False
        return True


class AnyOf(Struct, frozen=True):
    """Joined by `or`."""

    parts: tuple[Condition, ...]

    @property
    def states(self) -> frozenset[State]:
        """Those in which one can hold."""
        return frozenset().union(*(part.states for part in self.parts))

    def holds(self, look: Look) -> bool:
        """Whether one holds."""
        for part in self.parts:  # noqa: SIM110  # any() would make a generator for each job
            if part.holds(look):
                return True
        return False


class Not(Struct, frozen=True):
    """The opposite."""

    part: Condition

    @property
    def states(self) -> frozenset[State]:
        """Any: the job may lack something else."""
        return ALL_STATES

    def holds(self, look: Look) -> bool:
        """Whether the part does not."""
        return not self.part.holds(look)


class InState(Struct, frozen=True):
    """A state."""

    states: frozenset[State]

    def holds(self, look: Look) -> bool:
        """Whether it is one of these."""
        return look.job.state in self.states


class OneOf(Struct, frozen=True):
    """`=` and `in`."""

    values: Values
    wanted: frozenset[Value]
    states: frozenset[State] = ALL_STATES

    def holds(self, look: Look) -> bool:
        """Whether a value is one of those wanted."""
        return not self.wanted.isdisjoint(self.values(look))


class NoneOf(Struct, frozen=True):
    """`!=`."""

    values: Values
    unwanted: frozenset[Value]
    states: frozenset[State] = ALL_STATES

    def holds(self, look: Look) -> bool:
        """Whether there are values, and none of them is unwanted."""
        values = self.values(look)
        return bool(values) and self.unwanted.isdisjoint(values)


class Ordered(Struct, frozen=True):
    """`<`, `<=`, `>` and `>=`. Numbers are compared with numbers, and texts with texts."""

    values: Values
    compare: Compare
    bound: Value
    states: frozenset[State] = ALL_STATES

    def holds(self, look: Look) -> bool:
        """Whether a value lies so to the bound."""
        for value in self.values(look):
            is_like = isinstance(value, str) == isinstance(self.bound, str) and not isinstance(value, Sign)
            if is_like and self.compare(value, self.bound):
                return True
        return False


class Contains(Struct, frozen=True):
    """`~`: a part of a text, in capitals or not."""

    values: Values
    part: str  # case-folded
    states: frozenset[State] = ALL_STATES

    def holds(self, look: Look) -> bool:
        """Whether a value is a text that holds the part."""
        return any(isinstance(value, str) and self.part in value.casefold() for value in self.values(look))
