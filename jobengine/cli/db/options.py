"""What all commands of `jobengine db` take, and how they answer."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from jobengine.journal.keys import Secret

Database = Annotated[
    Path | None,
    typer.Option("--db", help="The database file, else DB_PATH, else /jobengine/database.queuedb."),
]
Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")]


def database_of(db: Path | None) -> Path:
    """The database file that is meant."""
    from jobengine.settings.environment import database_path

    return Path(os.path.realpath(db or database_path(os.environ)))


def secret_of_environment() -> "Secret":
    """What SECRET or SECRET_FILE holds. Raises ConfigurationWrong."""
    from jobengine.journal.keys import Secret
    from jobengine.settings.secret import read_secret

    return Secret.parse(read_secret(os.environ))


def has_secret() -> bool:
    """Whether there is a SECRET at all."""
    return "SECRET" in os.environ or "SECRET_FILE" in os.environ


def answer(document: dict[str, Any], lines: Iterable[str], *, as_json: bool) -> None:
    """Print the one or the other."""
    if as_json:
        import msgspec

        typer.echo(msgspec.json.encode(document).decode())
    else:
        for line in lines:
            typer.echo(line)


def table(rows: Iterable[tuple[str, str]]) -> list[str]:
    """Two columns, aligned."""
    rows = list(rows)
    width = max((len(name) for name, _ in rows), default=0)
    return [f"{name:<{width}}  {value}".rstrip() for name, value in rows]


def iso(time_ms: int) -> str | None:
    """A time for people and programs alike, in UTC; None where there was nothing."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds") if time_ms else None


def size(count: int) -> str:
    """Bytes, for people."""
    if count < 1024:
        return f"{count} bytes"
    amount, unit = count / 1024, "KiB"
    for larger in ("MiB", "GiB", "TiB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{amount:.1f} {unit} ({count} bytes)"
