"""`jobengine config`: the configuration file, without a server."""

import os
from pathlib import Path
from typing import Annotated

import typer


def application() -> typer.Typer:
    """The commands of this group."""
    commands = typer.Typer(help="Look at the configuration.", no_args_is_help=True, rich_markup_mode=None)
    commands.command()(check)
    commands.callback()(_group)
    return commands


def _group() -> None:
    """Look at the configuration."""


def check(
    config: Annotated[
        Path | None,
        typer.Option(help="The configuration file, else CONFIG_PATH, else /jobengine/config.yml."),
    ] = None,
) -> None:
    """Say what is wrong with the configuration: every mistake, with its line; exits with 78 then."""
    from jobengine.settings.environment import configuration_path
    from jobengine.settings.load import load

    path = config or configuration_path(os.environ)
    queues = len(load(path, os.environ).queues)
    typer.echo(f"{path}: fine: {queues} queue{'' if queues == 1 else 's'}")
