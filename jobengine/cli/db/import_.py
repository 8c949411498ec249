"""`jobengine db import`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Final

import typer

from jobengine.cli.db.options import Database, Json, answer, database_of, secret_of_environment

if TYPE_CHECKING:
    from jobengine.cli.db.importing import Imported

_STDIN: Final = Path("-")
_MADE: Final = (
    "Queues were made: {}. Name them in the configuration before the server's next start, "
    "or it drops them with their jobs."
)


def import_(
    file: Annotated[Path, typer.Argument(help="An export; - is standard input.")] = _STDIN,
    db: Database = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace jobs that are there.")] = False,  # noqa: FBT002
    json: Json = False,  # noqa: FBT002
) -> None:
    """Bring an export into a database that no server is using, or make one of it.

    Every line is looked at first: one that is wrong is named, and nothing is imported. Imported jobs stand
    behind those of their priority that are there. Needs SECRET or SECRET_FILE in the environment.
    """
    import asyncio
    import os

    from jobengine.cli.db.importing import Export, import_into
    from jobengine.cli.db.progress import progress
    from jobengine.settings.logs import set_up_logs

    database, secret = database_of(db), secret_of_environment()
    set_up_logs(os.environ)  # what opening has to say goes to stderr
    with _opened(file) as source:
        export = Export(source)
        queues = export.check()
        with progress("importing", source.tell()) as told:
            imported = asyncio.run(
                import_into(database, secret, queues, export.batches(told), replace=replace)
            )
    _tell(imported, database, as_json=json)


def _tell(imported: "Imported", database: Path, *, as_json: bool) -> None:
    from msgspec import structs

    line = (
        f"{database}: {imported.imported} jobs imported, {imported.replaced} of them in the place of others; "
        f"{imported.skipped} skipped, which were there"
    )
    answer({"path": str(database), **structs.asdict(imported)}, [line], as_json=as_json)
    if imported.queues_made:
        typer.echo(_MADE.format(", ".join(imported.queues_made)), err=True)


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    """The lines, so that they can be read twice: what comes through a pipe is kept in memory, not on disk."""
    import io

    from jobengine.journal.reading import system_errors

    if file == _STDIN:
        yield io.BytesIO(sys.stdin.buffer.read())
        return
    with system_errors(f"reading {file}"):
        opened = file.open("rb")
    with opened:
        yield opened if opened.seekable() else io.BytesIO(opened.read())
