"""`jobengine db export`."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Final

import typer

from jobengine.cli.db.options import Database, Json, database_of, secret_of_environment

if TYPE_CHECKING:
    from jobengine.journal.reading import Reading
    from jobengine.model.ledger import Ledger

_WARNING: Final = "An export is not encrypted: whoever gets it can read every job."
_MISSING: Final = (
    "{} acknowledged commits are missing in the file: the jobs may be older than what was answered"
)
_STDOUT: Final = Path("-")


def export(
    file: Annotated[Path, typer.Argument(help="Where to write it; - is standard output.")] = _STDOUT,
    db: Database = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,  # noqa: FBT002 - an option
    json: Json = False,  # noqa: FBT002 - an option
) -> None:
    """Write every job as a line of JSON, decrypted. A server may be using the database meanwhile.

    The first line names the format and the queues. What jobs wrote (their logs) is left out. Needs SECRET or
    SECRET_FILE in the environment.
    """
    import msgspec

    from jobengine.cli.db.progress import progress
    from jobengine.journal.reading import reading

    database, secret = database_of(db), secret_of_environment()
    _agree(yes=yes)
    with reading(database, secret) as read:
        with progress("exporting", read.size) as told:
            ledger, missing = recovered(read, told)
        with _written(file) as out:
            _write(lines(ledger, read), out, str(file))
    jobs = sum(ledger.count(queue.name) for queue in ledger.queues())
    if missing:
        typer.echo(_MISSING.format(missing), err=True)
    document = {
        "path": str(database),
        "jobs": jobs,
        "queues": len(ledger.queues()),
        "missing_commits": missing,
    }
    said = msgspec.json.encode(document).decode() if json else f"{database}: {jobs} jobs exported"
    typer.echo(said, err=file == _STDOUT)


def recovered(read: "Reading", told: Callable[[int], object]) -> "tuple[Ledger, int]":
    """What the file holds, and how many commits the anchor remembers beyond that. Raises Damaged."""
    from jobengine.errors import Damaged
    from jobengine.journal.inspection import changes_in
    from jobengine.model.ledger import Ledger

    ledger, sequence = Ledger(), read.header.parent.sequence
    try:
        for head, changes in changes_in(read, progress=told):
            ledger.replay(changes)
            sequence = head.sequence
    except KeyError:
        raise Damaged(f"{read.path} is damaged; `jobengine db verify` says where") from None
    if read.mark is None or read.mark.file_id != read.header.file_id:
        return ledger, 0
    return ledger, max(0, read.mark.sequence - sequence)


def lines(ledger: "Ledger", read: "Reading") -> Iterator[bytes]:
    """All lines of the export. Raises Damaged."""
    import msgspec

    from jobengine.cli.db.job_lines import FORMAT, VERSION, Heading, JobLine, QueueEntry
    from jobengine.model.blob import Blob

    queues, blobs, encode = ledger.queues(), read.blobs, msgspec.json.encode
    yield encode(Heading(FORMAT, VERSION, tuple(map(QueueEntry.of, queues)))) + b"\n"
    for queue in queues:
        for job in sorted(ledger.contents(queue.name).jobs.values(), key=lambda job: job.order):
            content, result, saved = job.content, job.more.result, job.more.saved
            content = blobs.read(content) if isinstance(content, Blob) else content
            result = blobs.read(result) if isinstance(result, Blob) else result
            saved = blobs.read(saved) if isinstance(saved, Blob) else saved
            yield encode(JobLine.of(job, content, result, saved)) + b"\n"


def _agree(*, yes: bool) -> None:
    """Raises Fatal when nobody says yes."""
    from jobengine.errors import Fatal

    typer.echo(_WARNING, err=True)
    if yes:
        return
    if not sys.stdin.isatty():
        raise Fatal("nothing was exported: --yes says that this is meant")
    typer.confirm("Export it?", abort=True, err=True)


def _write(exported: Iterator[bytes], out: IO[bytes], name: str) -> None:
    """Raises InputOutputFailed, which says whether a read or a write failed."""
    from jobengine.journal.reading import system_errors

    for line in exported:
        with system_errors(f"writing {name}"):
            out.write(line)
    with system_errors(f"writing {name}"):
        out.flush()


@contextmanager
def _written(file: Path) -> Iterator[IO[bytes]]:
    """Where the lines go. A file is new, for its owner alone, and goes again when it is not complete."""
    import os

    from jobengine.errors import Fatal
    from jobengine.journal.reading import system_errors

    if file == _STDOUT:
        with _quietly_when_nobody_reads():
            yield sys.stdout.buffer
        return
    with system_errors(f"writing {file}"):
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            raise Fatal(f"{file}: is there already, and is not written over") from None
    out = os.fdopen(descriptor, "wb")
    try:
        yield out
        with system_errors(f"writing {file}"):
            os.fsync(out.fileno())
    except BaseException:
        file.unlink()
        raise
    finally:
        with suppress(OSError):  # what is complete was flushed before
            out.close()


@contextmanager
def _quietly_when_nobody_reads() -> Iterator[None]:
    """`export | head` is no failure."""
    import os

    from jobengine.errors import InputOutputFailed

    try:
        yield
    except InputOutputFailed as failure:
        if not isinstance(failure.__cause__, BrokenPipeError):
            raise
        # What is still to be written, at the end of the process, must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit from None
