"""`jobengine run bundle`: a directory goes, is run, and comes back."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import uuid4

import typer

from jobengine.cli.asking import NOT_SO_EXIT_CODE, Asking, asks
from jobengine.cli.completion import queue_names
from jobengine.cli.job.options import time_option
from jobengine.cli.output import Format, print_json, printable
from jobengine.cli.usage import WrittenWrong

if TYPE_CHECKING:
    from jobengine.archive.limits import ArchiveLimits
    from jobengine.client.job import Job

SCRIPT: Final = "run.sh"
LOOK_SECONDS: Final = 1.0  # between two looks at how far it is
AWAY_SECONDS: Final = 600.0  # that a broker may be away while its job is waited for
_RATIO_MOST: Final = 1100  # more than deflate can do: what was not there before may be all zeros

_Tell = Callable[[str], None]


def application() -> typer.Typer:
    """The commands of this group."""
    commands = typer.Typer(
        help="Have something run, and wait for what comes of it.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    commands.callback()(_group)  # so that `bundle` is said also while it is the only one
    commands.command("bundle")(asks(bundle))
    return commands


def _group() -> None:
    """Have something run, and wait for what comes of it."""


def bundle(
    asking: Asking,
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The directory to run, with a run.sh in it.")
    ],
    queue: Annotated[str, typer.Option(help="A queue that runs bundles.", autocompletion=queue_names)],
    into: Annotated[
        Path | None, typer.Option(help="Where the result goes: a new directory, else FOLDER.result.")
    ] = None,
    priority: Annotated[int, typer.Option(min=1, max=100, help="100 is the most urgent.")] = 50,
    timeout: Annotated[float | None, time_option("How long it may run, else what the queue says.")] = None,
) -> None:
    """Pack a directory, have its run.sh run, wait, and unpack what came of it; exits with 3 when it failed.

    To end this command with Ctrl-C does not end the job. A broker that is away, since it is started again, is
    waited for: ten minutes at most.
    """
    target = _target(folder, into)
    content = {"archive": _packed(folder)}
    with _display() as tell:
        tell("sending")
        uid = str(uuid4())  # known before it is sent, should whoever waits go away meanwhile
        try:
            job = asking.client.create(queue, content, uid=uid, priority=priority, timeout=timeout)
            del content
            typer.echo(f"sent as {uid}", err=True)
            ended = _followed(asking, job, tell)
        except KeyboardInterrupt:
            typer.echo(_wait_again(queue, uid), err=True)
            raise typer.Exit(NOT_SO_EXIT_CODE) from None
    result = dict(ended.result) if isinstance(ended.result, dict) else {}
    archive = result.pop("archive", None)
    files = 0 if archive is None else _unpacked(archive, target)
    _show(asking, ended, result, target if files else None, files)
    if ended.state != "complete":
        raise typer.Exit(NOT_SO_EXIT_CODE)


def _target(folder: Path, into: Path | None) -> Path:
    """Where the result goes. Raises WrittenWrong."""
    if not (folder / SCRIPT).is_file():
        raise WrittenWrong(f"there is no {SCRIPT} at the top of {folder}: it is what is run")
    target = into or folder.absolute().with_name(f"{folder.absolute().name}.result")
    if target.exists():
        raise WrittenWrong(f"{target} is there already: move it away, or give another one by --into")
    return target


def _limits() -> "ArchiveLimits":
    """The queue decides what is too much: these are only so high that its refusal comes first."""
    from jobengine.archive.limits import MEBIBYTE, ArchiveLimits

    return ArchiveLimits(bytes=1024 * MEBIBYTE, entries=100_000, ratio=_RATIO_MOST)


def _packed(folder: Path) -> str:
    """The directory as a zip file, in base64. Ends with 64 when it cannot be packed."""
    from base64 import b64encode
    from io import BytesIO

    from jobengine.archive.writing import pack
    from jobengine.errors import ArchiveRefused

    file = BytesIO()
    try:
        pack(folder, file, _limits())
    except ArchiveRefused as refused:
        raise WrittenWrong(f"{folder}: {refused.detail}") from None
    except OSError as error:
        raise WrittenWrong(f"{error.filename or folder}: {error.strerror}") from None
    return b64encode(file.getbuffer()).decode()


def _followed(asking: Asking, job: "Job", tell: _Tell) -> "Job":
    """The job when it has ended. Raises Unreachable, Unavailable: the broker was away for too long."""
    from jobengine.errors import Unavailable, Unreachable

    begun: float | None = None
    away_since: float | None = None
    while not job.has_ended:
        begun = None if job.state == "queued" else begun or time.monotonic()
        try:
            job = _looked_at(asking, job, tell, begun)
        except (Unavailable, Unreachable) as refusal:
            now = time.monotonic()
            if away_since is None:
                away_since = now
                typer.echo(printable(f"the broker is away, waiting for it: {refusal.detail}"), err=True)
            elif now - away_since > AWAY_SECONDS:
                typer.echo(_wait_again(job.queue, job.uid), err=True)
                raise
            time.sleep(LOOK_SECONDS)
        else:
            if away_since is not None:
                typer.echo(f"the broker is back, after {time.monotonic() - away_since:.0f} s", err=True)
            away_since = None
    return job


def _looked_at(asking: Asking, job: "Job", tell: _Tell, begun: float | None) -> "Job":
    if begun is None:
        tell(asking.client.why(job.queue, job.uid).text)
    else:
        tell(f"running for {time.monotonic() - begun:.0f} s")
    return asking.client.wait(job.queue, job.uid, timeout=LOOK_SECONDS)


def _wait_again(queue: str, uid: str) -> str:
    return f"once sent it goes on; wait for it by: jobengine job wait {queue} {uid}"


@contextmanager
def _display() -> Iterator[_Tell]:
    """A line that changes, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _text: None
        return
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status("packed") as status:
        yield lambda text: status.update(escape(printable(text)))


def _unpacked(archive: str, target: Path) -> int:
    """How many files came back. Raises ArchiveRefused."""
    from base64 import b64decode

    from jobengine.archive.reading import Archive
    from jobengine.errors import ArchiveRefused

    try:
        read = Archive(b64decode(archive, validate=True), _limits())
    except (TypeError, ValueError):
        raise ArchiveRefused("its result is no archive in base64: does this queue run bundles?") from None
    try:
        target.mkdir(mode=0o700)
        read.unpack(target)
    except OSError as error:
        text = f"the result cannot be written: {error.filename or target}: {error.strerror}"
        typer.echo(printable(text), err=True)
        raise typer.Exit(1) from None
    return sum(1 for path in target.rglob("*") if path.is_file())


def _show(asking: Asking, job: "Job", result: dict[str, Any], target: Path | None, files: int) -> None:
    if asking.output is not Format.TABLE:
        directory = None if target is None else str(target)
        print_json({"uid": job.uid, "state": job.state, "result": result, "directory": directory})
        return
    took = f" after {result['seconds']:.1f} s" if "seconds" in result else ""
    typer.echo(printable(f"{job.uid}: {job.state}{took}{_why(job)}"))
    if target is not None:
        typer.echo(printable(f"{files} {'file' if files == 1 else 'files'} in {target}"))
    if job.state == "failed":
        typer.echo(f"what it wrote: jobengine job log {job.queue} {job.uid}", err=True)


def _why(job: "Job") -> str:
    """As its worker says; when its own time was over, the broker does."""
    if job.state != "failed":
        return ""
    last = job.errors[-1] if job.errors else None
    if last is None or not last.kind:
        return f": {job.reason}"
    question = f"; does {job.queue} run bundles?" if last.kind == "content" else ""
    return f": {last.kind}: {last.text}{question}"
