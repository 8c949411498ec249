"""The commands of `jobengine job`, put together."""

from collections.abc import Callable
from typing import Final

import typer

from jobengine.cli.asking import asks
from jobengine.cli.job.control import delete, halt, resume, retry, stop
from jobengine.cli.job.create import create
from jobengine.cli.job.log import log
from jobengine.cli.job.looking import get, list_, wait, why
from jobengine.cli.job.settling import claim, complete, fail

_COMMANDS: Final[dict[str, Callable[..., None]]] = {
    "create": create,
    "claim": claim,
    "complete": complete,
    "fail": fail,
    "list": list_,
    "get": get,
    "log": log,
    "why": why,
    "wait": wait,
    "retry": retry,
    "stop": stop,
    "halt": halt,
    "resume": resume,
    "delete": delete,
}


def application() -> typer.Typer:
    """The commands of this group."""
    commands = typer.Typer(
        help="Make jobs, look at them, work on them.", no_args_is_help=True, rich_markup_mode=None
    )
    for name, command in _COMMANDS.items():
        commands.command(name)(asks(command))
    return commands
