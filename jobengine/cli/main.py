"""The command `jobengine`."""

import sys
from typing import Final

import typer

from jobengine.cli import config
from jobengine.cli.serve import serve
from jobengine.cli.version import version
from jobengine.errors import Fatal

USAGE_EXIT_CODE: Final = 64  # sysexits.h; typer has its own
TYPER_USAGE_EXIT_CODE: Final = 2


def main() -> None:
    """Run the command that the arguments name, and exit with its code. A refusal is a line, no traceback."""
    try:
        application()(prog_name="jobengine")
    except Fatal as refusal:
        typer.echo(refusal.detail, err=True)
        sys.exit(refusal.exit_code)
    except SystemExit as exit_:
        sys.exit(USAGE_EXIT_CODE if exit_.code == TYPER_USAGE_EXIT_CODE else exit_.code)


def application() -> typer.Typer:
    """All commands."""
    commands = typer.Typer(
        help="A persistent, encrypted job broker: named queues over HTTP, in one file.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    commands.command()(serve)
    commands.add_typer(config.application(), name="config")
    commands.command()(version)
    return commands
