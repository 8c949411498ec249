"""Base64 (RFC 4648, section 4), read strictly."""

import base64
import binascii
from collections.abc import Iterator
from typing import Final

from jobengine.errors import ArchiveRefused


def decoded(text: str | bytes) -> bytes:
    """What it stands for. Raises ArchiveRefused unless it is just how that is written.

    Python's own reader takes much more: letters after the padding, and bits that mean nothing.
    """
    written = text.encode("ascii", "replace") if isinstance(text, str) else text
    try:
        value = base64.b64decode(written, validate=True)
    except binascii.Error:
        raise ArchiveRefused(NOT_BASE64) from None
    if base64.b64encode(value) != written:
        raise ArchiveRefused(NOT_BASE64)
    return value


def decoded_pieces(text: memoryview) -> Iterator[bytes]:
    """The same piece by piece, with no second copy of it all. Raises ArchiveRefused."""
    for start in range(0, len(text), _PIECE):
        piece = decoded(bytes(text[start : start + _PIECE]))
        if start + _PIECE < len(text) and len(piece) != _PIECE // 4 * 3:
            raise ArchiveRefused(NOT_BASE64)  # it is padded, and goes on
        yield piece


def encoded(value: bytes) -> str:
    """How it is written: padded, on one line."""
    return base64.b64encode(value).decode("ascii")


_PIECE: Final = 256 * 1024  # letters, of which four make three bytes
NOT_BASE64: Final = "this is not base64 (RFC 4648, section 4: A-Z a-z 0-9 + / with = at the end, on one line)"
