"""`jobengine start, stop, list, status, logs`: the words of the Linux Job Worker, over its own routes."""

import inspect
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, Final, ParamSpec

import typer

from jobengine.cli.asking import REFUSED_EXIT_CODE, Ca, Cert, Key, files_of
from jobengine.cli.completion import context_names
from jobengine.cli.output import printable
from jobengine.cli.usage import WrittenWrong

if TYPE_CHECKING:
    from jobengine.cli.linux_jobs import LinuxJob, LinuxJobs

LOOK_SECONDS: Final = 0.5  # between two looks at a job that is followed
_NOT_ENDED: Final = frozenset({"QUEUED", "RUNNING"})

P = ParamSpec("P")

# What follows the program is for it, not for this command.
_AS_IT_IS: Final = {"ignore_unknown_options": True, "allow_interspersed_args": False}

Uid = Annotated[str, typer.Argument(metavar="ID", help="The job.")]


def add_to(commands: typer.Typer) -> None:
    """These commands beside the others."""
    commands.command(context_settings=_AS_IT_IS)(_asks(start))
    commands.command()(_asks(stop))
    commands.command("list")(_asks(list_))
    commands.command()(_asks(status))
    commands.command()(_asks(logs))


def start(
    jobs: "LinuxJobs",
    command: Annotated[list[str], typer.Argument(metavar="COMMAND...", help="A program, and its arguments.")],
) -> None:
    """Run a program on a server with the routes of the Linux Job Worker."""
    typer.echo(_line(jobs.start(command)))


def stop(jobs: "LinuxJobs", uid: Uid) -> None:
    """Stop a job that `jobengine start` made."""
    jobs.stop(uid)
    typer.echo("success")


def list_(jobs: "LinuxJobs") -> None:
    """Tell the ids of all jobs that `jobengine start` made."""
    for uid in jobs.uids():
        typer.echo(printable(uid))


def status(jobs: "LinuxJobs", uid: Uid) -> None:
    """Tell how a job is: QUEUED, RUNNING, FINISHED, CANCELED or FAILED."""
    typer.echo(_line(jobs.job(uid)))


def logs(
    jobs: "LinuxJobs",
    uid: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="The job, else all, newest first.")
    ] = None,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on telling until the job has ended.")
    ] = False,
) -> None:
    """Tell what jobs have written."""
    if uid is not None:
        _write(jobs, uid, follow=follow)
        return
    if follow:
        raise WrittenWrong("--follow needs the ID of a job")
    for job in jobs.logs():
        typer.echo(_line(job))
        _echo(job.output.splitlines())


def _common(
    url: Annotated[
        str | None, typer.Option(help="The server's address, else JOBENGINE_URL, else that of the context.")
    ] = None,
    context: Annotated[
        str | None,
        typer.Option(help="The context to use, else the current one.", autocompletion=context_names),
    ] = None,
    ca: Ca = None,
    cert: Cert = None,
    key: Key = None,
) -> None:
    """The options that each command gets."""


def _asks(command: "Callable[Concatenate[LinuxJobs, P], None]") -> Callable[..., None]:
    """Give a command the server that it asks. A refusal is a line, and exit code 1."""
    _, *own = inspect.signature(command).parameters.values()
    common = inspect.signature(_common).parameters.values()

    def asking(**arguments: Any) -> None:
        from jobengine.cli.contexts import Context, context_in_use
        from jobengine.cli.linux_jobs import LinuxJobs
        from jobengine.errors import Fatal, JobEngineError

        given = Context(url=arguments.pop("url"), **files_of(arguments))
        chosen = arguments.pop("context")
        try:
            command(LinuxJobs(context_in_use(given, chosen, os.environ)), **arguments)  # type: ignore[call-arg]
        except Fatal:
            raise
        except JobEngineError as refusal:
            typer.echo(printable(" ".join(refusal.detail.split())), err=True)
            raise typer.Exit(REFUSED_EXIT_CODE) from None
        except UnicodeEncodeError:
            typer.echo("what was typed is not UTF-8", err=True)
            raise typer.Exit(REFUSED_EXIT_CODE) from None

    parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*own, *common)]
    asking.__name__ = command.__name__
    asking.__doc__ = command.__doc__
    asking.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    asking.__annotations__ = {each.name: each.annotation for each in parameters}
    return asking


def _line(job: "LinuxJob") -> str:
    return printable(f"{job.id}  {job.status}  {job.cmd}")


def _write(jobs: "LinuxJobs", uid: str, *, follow: bool) -> None:
    written = 0
    while True:
        job = jobs.job(uid)
        is_last = not follow or job.status not in _NOT_ENDED
        whole = job.output if is_last else job.output[: job.output.rfind("\n") + 1]  # no half line
        lines = whole.splitlines()
        _echo(lines[written:])
        if is_last:
            return
        written = len(lines)
        time.sleep(LOOK_SECONDS)


def _echo(lines: list[str]) -> None:
    for line in lines:
        typer.echo(printable(line.expandtabs()))
