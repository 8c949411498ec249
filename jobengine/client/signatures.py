"""Methods that are made of functions."""

import inspect
from collections.abc import Callable
from typing import TypeVar

MethodT = TypeVar("MethodT", bound=Callable[..., object])


def of_method(method: MethodT) -> MethodT:
    """The same, and `help` shows it as a method: with a `self` before what the function takes."""
    function = inspect.signature(method)
    itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    method.__signature__ = function.replace(parameters=[itself, *function.parameters.values()])  # type: ignore[attr-defined]
    return method
