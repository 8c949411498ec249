"""The commands of `jobengine queue`, put together."""

from collections.abc import Callable
from typing import Final

import typer

from jobengine.cli.asking import asks
from jobengine.cli.queue.emptying import purge, redrive
from jobengine.cli.queue.looking import info, list_
from jobengine.cli.queue.setting import drop, set_
from jobengine.cli.queue.steering import drain, pause, resume

_COMMANDS: Final[dict[str, Callable[..., None]]] = {
    "list": list_,
    "info": info,
    "pause": pause,
    "resume": resume,
    "purge": purge,
    "drain": drain,
    "redrive": redrive,
    "set": set_,
    "drop": drop,
}


def application() -> typer.Typer:
    """The commands of this group."""
    commands = typer.Typer(
        help="Look at queues, and administer them.", no_args_is_help=True, rich_markup_mode=None
    )
    for name, command in _COMMANDS.items():
        commands.command(name)(asks(command))
    return commands
