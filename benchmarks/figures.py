"""What was measured, and what it must be."""

import math
from collections.abc import Callable, Sequence
from statistics import median

from msgspec import Struct


class Figure(Struct, frozen=True):
    """One measured figure; with a bound when the project has promised one."""

    name: str
    value: float
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Is it as it must be? None when nothing was promised."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return self.value <= self.at_most if self.at_most is not None else None

    @property
    def shown(self) -> str:
        """The value with its unit, for people."""
        return with_unit(self.value, self.unit)

    @property
    def bound(self) -> str:
        """What it must be, for people."""
        if self.at_least is not None:
            return "≥ " + with_unit(self.at_least, self.unit)
        return "≤ " + with_unit(self.at_most, self.unit) if self.at_most is not None else ""


def with_unit(value: float, unit: str) -> str:
    """A number as short as its size allows."""
    digits = 3 if abs(value) < 1 else 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return f"{value:,.{digits}f} {unit}".rstrip()


class Pairs(Struct, frozen=True):
    """Two things measured in turns."""

    ours: float  # the median, as the other's
    other: float
    ratio: float  # the median of the pairs' ratios
    lowest: float
    highest: float

    @property
    def note(self) -> str:
        """Both sides, and how far the pairs lay apart."""
        return f"{self.ours:,.0f}/s of {self.other:,.0f}/s; pairs {self.lowest:.2f} to {self.highest:.2f}"


def in_pairs(ours: Callable[[], float], other: Callable[[], float], *, pairs: int) -> Pairs:
    """Measure both in turns, so that whatever else the machine does hits both alike."""
    measured = []
    for number in range(pairs):
        # Who goes first changes, so that neither always finds the machine as the other left it.
        if number % 2:
            second = other()
            measured.append((ours(), second))
        else:
            measured.append((ours(), other()))
    return _summary(measured)


def _summary(measured: Sequence[tuple[float, float]]) -> Pairs:
    ratios = [ours / other for ours, other in measured]
    return Pairs(
        ours=median(ours for ours, _ in measured),
        other=median(other for _, other in measured),
        ratio=median(ratios),
        lowest=min(ratios),
        highest=max(ratios),
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of all do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def milliseconds(seconds: float) -> float:
    """For figures and notes."""
    return seconds * 1000
