"""`jobengine db restore`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from jobengine.cli.db.options import Database, Json, answer, database_of, iso, secret_of_environment
from jobengine.cli.usage import WrittenWrong

if TYPE_CHECKING:
    from jobengine.journal.prefix import Until
    from jobengine.journal.restoring import Restored


_DIGITS_MOST: Final = 20  # of a number of 64 bits


def restore(
    source: Annotated[
        Path | None, typer.Argument(help="The copy; without one, the database itself and its kept old files.")
    ] = None,
    db: Database = None,
    until: Annotated[
        str | None,
        typer.Option(
            help="A commit's number, or a time as 2026-01-31T12:00:00 (UTC, unless it says a zone)."
        ),
    ] = None,
    overwrite: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--overwrite", help="Replace the database, and keep it beside the new one.")
    ] = False,
    json: Json = False,  # noqa: FBT002 - an option
) -> None:
    """Put a copy back, or the database itself to a moment of its past. No server may be running.

    All of it is checked before anything is replaced. Needs SECRET or SECRET_FILE in the environment.
    """
    from jobengine.cli.db.progress import progress
    from jobengine.journal.owner import OwnedFiles
    from jobengine.journal.restoring import Restoring

    path, moment = database_of(db), moment_of(until)
    origin = source or path
    with progress("restoring", origin.stat().st_size if origin.exists() else 0) as told:
        restoring = Restoring(path, secret_of_environment(), files=OwnedFiles(path))
        restored = restoring.run(source, moment, overwrite=overwrite, progress=told)
    answer(_document(restored), _lines(restored), as_json=json)


def moment_of(text: str | None) -> "Until":
    """What --until says. A wrong one is a mistake of usage."""
    from jobengine.journal.prefix import Until

    if text is None:
        return Until()
    if text.isdecimal() and len(text) <= _DIGITS_MOST:
        return Until(sequence=int(text))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise WrittenWrong("--until: neither a commit's number nor a time as 2026-01-31T12:00:00") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment > datetime.now(UTC):
        raise WrittenWrong("--until: that is still to come; without --until it becomes as it was last")
    return Until(time=int(moment.timestamp() * 1000))


def _document(restored: "Restored") -> dict[str, object]:
    reach = restored.reaches_back_to
    return {
        "path": str(restored.path),
        "source": str(restored.source),
        "sequence": restored.sequence,
        "time": iso(restored.time),
        "reaches_back_to": {"sequence": reach.sequence, "time": iso(reach.time)},
        "kept": restored.kept and str(restored.kept),
    }


def _lines(restored: "Restored") -> list[str]:
    reach = restored.reaches_back_to
    lines = [
        f"{restored.path} is as it was at commit {restored.sequence} of {iso(restored.time)}, "
        f"out of {restored.source.name}.",
        f"It could have gone back to commit {reach.sequence} of {iso(reach.time)}.",
    ]
    if restored.kept is not None:
        lines.append(f"What was there before is kept as {restored.kept.name}.")
    return lines
