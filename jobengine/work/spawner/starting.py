"""Starts one program, which inherits the user and the limits of the process that does it. Standard library only."""

import os
import resource
import signal
from contextlib import suppress
from enum import IntEnum
from typing import Any, Final

# Where the sandbox says which process is the first inside: bubblewrap's --info-fd.
INSIDE: Final = 3
_PYTHONS: Final = (signal.SIGPIPE, signal.SIGXFSZ)  # Python ignores these, and programs would inherit that


class Step(IntEnum):
    """On which step a start failed."""

    PREPARE = 1
    DIRECTORY = 2
    PROGRAM = 3


class StartFailed(Exception):
    """The program does not run."""

    def __init__(self, step: Step, error: OSError) -> None:
        super().__init__(step, error)
        self.step = step
        self.number = error.errno or 0


def start(launch: dict[str, Any], pipes: list[int]) -> int:
    """Start a program in a session of its own, with these pipes as its output, and return its number.

    Raises StartFailed. Between fork and exec there is nothing of Python: the copies of the pages that it touches
    cost more than all the rest.
    """
    try:
        os.chdir(launch["directory"])
    except OSError as error:
        raise StartFailed(Step.DIRECTORY, error) from None
    try:
        program = _spawn(launch["argv"], launch["environment"], pipes)
    except OSError as error:
        raise StartFailed(Step.PROGRAM, error) from None
    finally:
        os.chdir("/")
    if launch["cpu_limit"] is not None:
        # Not inherited: it would count what the spawner itself has used.
        with suppress(ProcessLookupError):
            resource.prlimit(program, resource.RLIMIT_CPU, launch["cpu_limit"])
    return program


def _spawn(argv: list[str], environment: dict[str, str], pipes: list[int]) -> int:
    failure: OSError = FileNotFoundError(2, "not found")
    for path in _paths(argv[0], environment):
        if not os.access(path, os.F_OK):
            continue
        try:
            return os.posix_spawn(
                path,
                argv,
                environment,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, pipe, number) for number, pipe in enumerate(pipes, start=1)
                ],
                setsid=True,
                setsigmask=(),
                setsigdef=_PYTHONS,
            )
        except PermissionError as error:
            failure = error  # as shells do: further on there may be one that is allowed
    raise failure


def _paths(program: str, environment: dict[str, str]) -> list[str]:
    if "/" in program:
        return [program]
    return [f"{directory}/{program}" for directory in environment.get("PATH", os.defpath).split(":")]
