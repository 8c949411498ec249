"""Starts one program: its pipes, its limits, its user. Standard library only."""

import os
import resource
import struct
from enum import IntEnum
from typing import Any, Final, NoReturn

# Where the sandbox says which process is the first inside: bubblewrap's --info-fd.
INSIDE: Final = 3
_FAILED: Final = 127

# All failures come through one pipe: which child, on which step, and why. Too short to come in two pieces.
_REPORT: Final = struct.Struct("=iii")


class Step(IntEnum):
    """On which step a start failed."""

    PREPARE = 1
    DIRECTORY = 2
    PROGRAM = 3


def start(launch: dict[str, Any], pipes: list[int], inside: int | None, reports: int) -> int:
    """Start a program in a session of its own and return its number. Raises OSError.

    What fails later is found in the reports when the child has ended.
    """
    argv, environment, limits = launch["argv"], launch["environment"], launch["limits"]
    paths = _paths(argv[0], environment)
    if (child := os.fork()) == 0:
        _become(paths, argv, environment, launch["directory"], limits, launch["user"], pipes, inside, reports)
    return child


def read_reports(pipe: int) -> dict[int, tuple[int, int]]:
    """What failed children left: which child, and its step and error number."""
    try:
        data = os.read(pipe, _REPORT.size * 1024)
    except BlockingIOError:
        return {}
    return {child: (step, number) for child, step, number in _REPORT.iter_unpack(data)}


def _become(
    paths: list[str],
    argv: list[str],
    environment: dict[str, str],
    directory: str,
    limits: list[tuple[int, tuple[int, int]]],
    user: tuple[int, int, list[int]] | None,
    pipes: list[int],
    inside: int | None,
    reports: int,
) -> NoReturn:
    # Plain and short on purpose: every page of Python that is touched here is copied, at a price.
    step = 1
    try:
        os.dup2(pipes[0], 1)
        os.dup2(pipes[1], 2)
        if inside is not None:
            os.dup2(inside, INSIDE)
        os.setsid()
        for which, limit in limits:
            resource.setrlimit(which, limit)
        if user is not None:
            os.setgroups(user[2])
            os.setresgid(user[1], user[1], user[1])
            os.setresuid(user[0], user[0], user[0])
        step = 2
        os.chdir(directory)
        step = 3
        _execute(paths, argv, environment)
    except OSError as error:
        os.write(reports, _REPORT.pack(os.getpid(), step, error.errno or 0))
    finally:
        os._exit(_FAILED)


def _execute(paths: list[str], argv: list[str], environment: dict[str, str]) -> NoReturn:
    """As shells do: what is not there is looked for further, and so is what is not allowed."""
    failure: OSError | None = None
    for path in paths:
        try:
            os.execve(path, argv, environment)
        except (FileNotFoundError, NotADirectoryError) as error:
            failure = failure or error
        except PermissionError as error:
            failure = error
    raise failure or FileNotFoundError()


def _paths(program: str, environment: dict[str, str]) -> list[str]:
    if "/" in program:
        return [program]
    return [f"{directory}/{program}" for directory in environment.get("PATH", os.defpath).split(":")]


def lowered(limits: list[tuple[int, int, int]]) -> list[tuple[int, tuple[int, int]]]:
    """Limits as they can be set here: nobody can have more than the spawner has."""
    return [(which, _lowered(soft, hard, resource.getrlimit(which)[1])) for which, soft, hard in limits]


def _lowered(soft: int, hard: int, most: int) -> tuple[int, int]:
    return (soft, hard) if most == resource.RLIM_INFINITY else (min(soft, most), min(hard, most))
