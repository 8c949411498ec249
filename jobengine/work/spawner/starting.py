"""Starts one program, which inherits user and limits from who does it. Standard library only."""

import errno
import math
import os
import resource
import signal
import time
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


def start(launch: dict[str, Any], pipes: list[int], cpu_limit: tuple[int, int] | None) -> int:
    """Start a program in a session of its own, with these pipes as its output, and return its number.

    Raises StartFailed. Nothing of Python runs between fork and exec: the copies of the pages that it touches
    cost more than all the rest.
    """
    try:
        os.chdir(launch["directory"])
    except OSError as error:
        raise StartFailed(Step.DIRECTORY, error) from None
    try:
        if cpu_limit is not None:
            _take_on(cpu_limit[0])
        program = _spawn(launch["argv"], launch["environment"], pipes)
    except OSError as error:
        raise StartFailed(Step.PROGRAM, error) from None
    except ValueError:  # a NUL, or a name with "=": of one program, and no reason to end all others
        raise StartFailed(Step.PROGRAM, OSError(errno.EINVAL, "")) from None
    finally:
        os.chdir("/")
    if cpu_limit is not None:
        with suppress(ProcessLookupError):
            resource.prlimit(program, resource.RLIMIT_CPU, cpu_limit)
    return program


def _take_on(cpu_seconds: int) -> None:
    """Have a limit of CPU time, as much higher as was used here: it is inherited, what was used is not.

    So a child that a program starts before its own limit is set has nearly the same.
    """
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = cpu_seconds + math.ceil(time.process_time())
    resource.setrlimit(
        resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard)
    )


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
