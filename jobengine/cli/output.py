"""How answers are shown: as a table for people, as JSON for programs."""

import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import typer


class Format(StrEnum):
    """How an answer looks."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"


def columns(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table; on a terminal no line is longer than that is wide."""
    lines = [tuple(heads), *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    most = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    return [text[:most].rstrip() for text in texts]


def one_line(value: Any) -> str:
    """Any value as JSON; nothing for None."""
    import msgspec

    return "" if value is None else msgspec.json.encode(_full(value)).decode()


def printable(text: str) -> str:
    """A text without what a terminal would obey."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def print_json(document: Any) -> None:
    """One line of JSON; what is not there is left out."""
    import msgspec

    typer.echo(msgspec.json.encode(_full(document)).decode())


def _full(document: Any) -> Any:
    """Without what is None or an empty list; 0 and false are something."""
    from msgspec import Struct, structs

    if isinstance(document, Struct):
        fields = structs.fields(document)
        values = ((field, getattr(document, field.name)) for field in fields)
        return {
            field.encode_name: _full(value)
            for field, value in values
            if field.required or (value is not None and value != ())
        }
    if isinstance(document, list | tuple):
        return [_full(each) for each in document]
    if isinstance(document, datetime):
        return time_text(document)
    return document


def time_text(time: datetime) -> str:
    """A time as API v2 writes it."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def jobs_text(count: int) -> str:
    """So many jobs."""
    return f"{count} job{'' if count == 1 else 's'}"
