"""Bytes that a job carries in its JSON, as base64: read with no second copy of them all."""

from collections.abc import Iterator
from typing import Final

from msgspec import Raw, json

from jobengine.archive.base64 import decoded_pieces
from jobengine.errors import ArchiveRefused
from jobengine.work.outcome import Kind, Refused

_PIECE: Final = 256 * 1024  # bytes


def carried(value: Raw, *, name: str) -> Iterator[bytes]:
    """What this JSON value stands for, piece by piece. Raises Refused, which names it."""
    written = memoryview(value)
    if bytes(written[:1]) != b'"':
        raise Refused(Kind.CONTENT, f'"{name}" must be a text: base64')
    try:
        yield from decoded_pieces(_letters(written))
    except ArchiveRefused as refused:
        raise Refused(Kind.BASE64, f'"{name}": {refused.detail}') from None


def _letters(written: memoryview) -> memoryview:
    """Of a text in JSON, which may have a slash written as two letters."""
    pieces = range(0, len(written), _PIECE)
    if any(b"\\" in bytes(written[start : start + _PIECE]) for start in pieces):
        return memoryview(json.decode(written, type=str).encode())
    return written[1:-1]
