"""The functions that do jobs."""

import inspect
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct

JobFunction = Callable[..., Any]  # of the content, and of the CurrentJob if it takes a second one

_BY_POSITION: Final = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Where(StrEnum):
    """Where a function runs."""

    LOOP = "loop"  # an asynchronous one: in the event loop of `serve`
    THREAD = "thread"
    PROCESS = "process"


class Function(Struct, frozen=True):
    """A function that does the jobs of a queue."""

    queue: str
    call: JobFunction
    where: Where
    takes_job: bool
    weight: int


def described(queue: str, call: JobFunction, *, in_process: bool, weight: int) -> Function:
    """Looks at its signature. Raises TypeError for one that cannot be called with the content."""
    needed = [
        parameter
        for parameter in inspect.signature(call).parameters.values()
        if parameter.kind in _BY_POSITION and parameter.default is parameter.empty
    ]
    if len(needed) not in (1, 2):
        raise TypeError("the function of a job takes its content, and, if it wants to, the job")
    is_async = inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(type(call).__call__)
    if is_async and in_process:
        raise TypeError("an asynchronous function runs in the event loop, not in a process")
    where = Where.LOOP if is_async else Where.PROCESS if in_process else Where.THREAD
    return Function(queue, call, where, len(needed) == 2, weight)
