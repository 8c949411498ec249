"""`jobengine db backup`."""

import time
from pathlib import Path
from typing import Annotated

import typer

from jobengine.cli.db.options import Database, Json, answer, database_of, iso, secret_of_environment, size


def backup(
    destination: Annotated[Path, typer.Argument(help="The copy's name, or a directory for a dated one.")],
    db: Database = None,
    overwrite: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--overwrite", help="Replace a file of that name.")
    ] = False,
    json: Json = False,  # noqa: FBT002 - an option
) -> None:
    """Copy the database, also while a server uses it. What is copied is authenticated.

    The copy opens with the same SECRET, which has to be in the environment, or SECRET_FILE.
    """
    from jobengine.cli.db.progress import progress
    from jobengine.journal.backup import back_up
    from jobengine.journal.reading import reading

    path = database_of(db)
    if destination.is_dir():
        destination /= f"{path.stem}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}{path.suffix}"
    with reading(path, secret_of_environment()) as read, progress("copying", read.size) as told:
        copied = back_up(read, destination, overwrite=overwrite, progress=told)
    document = {
        "path": str(copied.path),
        "bytes": copied.bytes,
        "sequence": copied.sequence,
        "time": iso(copied.time),
    }
    line = f"{copied.path}: {size(copied.bytes)}, up to commit {copied.sequence} of {iso(copied.time)}"
    answer(document, [line], as_json=json)
