"""The commands of `jobengine db`, put together."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import typer

from jobengine.cli.db.backup import backup
from jobengine.cli.db.compact import compact
from jobengine.cli.db.export import export
from jobengine.cli.db.history import history
from jobengine.cli.db.import_ import import_
from jobengine.cli.db.info import info
from jobengine.cli.db.rekey import rekey
from jobengine.cli.db.repair import repair
from jobengine.cli.db.restore import restore
from jobengine.cli.db.verify import verify

P = ParamSpec("P")


def application() -> typer.Typer:
    """The commands of this group."""
    commands = typer.Typer(help="Look after the database file.", no_args_is_help=True, rich_markup_mode=None)
    # Those that look at the file, copy it, mend it:
    for command in (info, verify, backup, restore, repair, history):
        commands.command()(_in_one_line(command))
    # Those that write it anew, or in another form:
    commands.command()(_in_one_line(compact))
    commands.command()(_in_one_line(rekey))
    commands.command()(_in_one_line(export))
    commands.command("import")(_in_one_line(import_))
    return commands


def _in_one_line(command: Callable[P, None]) -> Callable[P, None]:
    """The command, where what the system refuses is no traceback."""

    @wraps(command)
    def told(*arguments: P.args, **named: P.kwargs) -> None:
        from jobengine.journal.reading import refused_by_system

        try:
            command(*arguments, **named)
        except OSError as error:
            raise refused_by_system(f"opening {error.filename or 'the database'}", error) from None

    return told
