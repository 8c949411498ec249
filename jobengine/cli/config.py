"""`jobengine config`: the configuration file, and what an edit of it would do."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobengine.cli.db.options import Database, Json, answer, database_of
from jobengine.cli.explain import explain

if TYPE_CHECKING:
    from jobengine.control.plan import Edit


def application() -> typer.Typer:
    """The commands of this group."""
    commands = typer.Typer(help="Look at the configuration.", no_args_is_help=True, rich_markup_mode=None)
    commands.command()(check)
    commands.command()(plan)
    commands.command()(explain)
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


def plan(
    file: Annotated[
        Path | None,
        typer.Argument(help="The edited configuration, else CONFIG_PATH, else /jobengine/config.yml."),
    ] = None,
    db: Database = None,
    json: Json = False,  # noqa: FBT002 - an option, not an argument
) -> None:
    """Say what an edit would do to the running server: queues, jobs that would go, rights. Changes nothing.

    The server is asked over the control socket beside its database file; exits with 69 when there is none.
    """
    from msgspec import structs

    from jobengine.control.client import Control
    from jobengine.control.plan import Edit
    from jobengine.control.protocol import Plan
    from jobengine.errors import Unreachable
    from jobengine.settings.environment import configuration_path
    from jobengine.settings.snapshot import decode, read

    path, database = file or configuration_path(os.environ), database_of(db)
    question = Plan(decode(read(path).data, str(path)), str(path))
    control = Control.reach(database)
    if control is None:
        raise Unreachable(f"no server can be reached that serves {database}; --db or DB_PATH names another")
    edit = control.ask(question, Edit)
    answer(structs.asdict(edit), list(_lines(edit)) or ["Nothing would change."], as_json=json)


def _lines(edit: "Edit") -> Iterator[str]:
    for name in edit.added:
        yield f"queue {name}: would be added"
    for name, jobs in edit.dropped.items():
        yield f"queue {name}: would be dropped, and {jobs} job{'' if jobs == 1 else 's'} with it"
    for change in edit.changed:
        yield f"queue {change.queue}: {change.setting} {change.before} -> {change.after}"
    for lost in edit.rights_lost:
        yield f"{_place(lost.queue)}: {lost.service} would lose the right to {lost.right}"
    for gained in edit.rights_gained:
        yield f"{_place(gained.queue)}: {gained.service} would gain the right to {gained.right}"
    for option in edit.needs_restart:
        yield f"{option}: differs, and would be taken up only by a restart"


def _place(queue: str | None) -> str:
    return "server" if queue is None else f"queue {queue}"
