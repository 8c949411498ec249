"""Base64 (RFC 4648, section 4), read strictly."""

import base64
import binascii

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


def encoded(value: bytes) -> str:
    """How it is written: padded, on one line."""
    return base64.b64encode(value).decode("ascii")


NOT_BASE64 = "this is not base64 (RFC 4648, section 4: A-Z a-z 0-9 + / with = at the end, on one line)"
