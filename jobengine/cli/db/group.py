"""The commands of `jobengine db`, put together."""

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


def application() -> typer.Typer:
    """The commands of this group."""
    commands = typer.Typer(help="Look after the database file.", no_args_is_help=True, rich_markup_mode=None)
    # Those that look at the file, copy it, mend it:
    for command in (info, verify, backup, restore, repair, history):
        commands.command()(command)
    # Those that write it anew, or in another form:
    commands.command()(compact)
    commands.command()(rekey)
    commands.command()(export)
    commands.command("import")(import_)
    return commands
