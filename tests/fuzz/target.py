"""One reader of bytes, and the search for what it cannot bear."""

import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy
from msgspec import Struct

KEPT = Path(__file__).parents[2] / "data" / "fuzz"
INPUTS_AT_ONCE = 200  # under one number


class Target(Struct, frozen=True):
    """What is fed, and the check that raises nothing when all is well."""

    name: str
    inputs: SearchStrategy[Any]
    check: Callable[[Any], object]


class Found(Exception):
    """An input that something else came of than a refusal."""

    def __init__(self, target: Target, number: int, value: object, error: BaseException) -> None:
        told = "".join(traceback.format_exception(error, limit=-8))
        super().__init__(f"{target.name}, number {number}, bears this badly:\n{value!r}\n{told}")
        self.file_name = f"{target.name}-{number}.txt"

    def keep(self) -> Path:
        """Write it down; where."""
        KEPT.mkdir(parents=True, exist_ok=True)
        path = KEPT / self.file_name
        path.write_text(f"{self}", encoding="utf-8", errors="backslashreplace")
        return path


def search(target: Target, number: int, *, most: int = INPUTS_AT_ONCE) -> int:
    """Feed the inputs of this number; how many it were. Raises Found, for the smallest that fails."""
    fed: list[Any] = [0, None]

    def feed(value: Any) -> None:
        fed[0] += 1
        fed[1] = value
        target.check(value)

    quick = settings(
        max_examples=most,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    try:
        hypothesis.seed(number)(quick(given(target.inputs)(feed)))()
    except Exception as error:
        raise Found(target, number, fed[1], error) from error
    return int(fed[0])


def search_for(target: Target, seconds: float, *, first: int) -> int:
    """Feed number after number for so long; how many inputs it were. Raises Found."""
    end, number, fed = time.monotonic() + seconds, first, 0
    while time.monotonic() < end:
        fed += search(target, number)
        number += 1
    return fed
