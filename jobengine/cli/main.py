"""The command `jobengine`."""

import os
import sys
from typing import TYPE_CHECKING, Final

from jobengine.errors import Fatal
from jobengine.settings.secret import pass_on
from jobengine.work.spawner.kernel import hide_memory

if TYPE_CHECKING:
    import typer

USAGE_EXIT_CODE: Final = 64  # sysexits.h; typer has its own
TYPER_USAGE_EXIT_CODE: Final = 2


def main() -> None:
    """Run the command that the arguments name, and exit with its code. A refusal is a line, no traceback."""
    hide_memory()  # and /proc/…/environ: jobs may run as the same user
    try:
        if sys.argv[1:2] == ["serve"]:
            _hide_secret()
        application()(prog_name="jobengine")
    except Fatal as refusal:
        sys.stderr.write(f"{refusal.detail}\n")
        sys.exit(refusal.exit_code)
    except SystemExit as exit_:
        sys.exit(USAGE_EXIT_CODE if exit_.code == TYPER_USAGE_EXIT_CODE else exit_.code)


def _hide_secret() -> None:
    """Become the same program again without SECRET in the environment, which stays readable in /proc.

    Done before anything is imported that takes its time.
    """
    if "SECRET" in os.environ:
        pass_on(os.environ)
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - this very program


def application() -> "typer.Typer":
    """All commands."""
    import typer

    from jobengine.cli import cert, config, context
    from jobengine.cli.asking import asks
    from jobengine.cli.bench import bench
    from jobengine.cli.db import group as db
    from jobengine.cli.job import group as job
    from jobengine.cli.linux_job_worker import add_to
    from jobengine.cli.queue import group as queue
    from jobengine.cli.run_bundle import application as run
    from jobengine.cli.serve import serve
    from jobengine.cli.version import version
    from jobengine.cli.worker import application as worker

    commands = typer.Typer(
        help="A persistent, encrypted job broker: named queues over HTTP, in one file.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    commands.command()(serve)
    commands.add_typer(job.application(), name="job")
    commands.add_typer(queue.application(), name="queue")
    commands.add_typer(context.application(), name="context")
    commands.add_typer(worker(), name="worker")
    commands.add_typer(run(), name="run")
    commands.command()(asks(bench))
    commands.add_typer(config.application(), name="config")
    commands.add_typer(db.application(), name="db")
    commands.add_typer(cert.application(), name="cert")
    add_to(commands)
    commands.command()(version)
    return commands
