"""Where the next page begins, as a text that says nothing to clients."""

import binascii
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from typing import Final, Self

from msgspec import Struct

from jobengine.errors import ValidationFailed
from jobengine.web.v2.decoding import wrong

_VERSION: Final = 1
_LAYOUT: Final = struct.Struct(">BQQ8s")  # version, sort key, number of the next job to come, hash
_BYTES_MOST: Final = 64  # of its text


class Cursor(Struct, frozen=True):
    """A place in a queue's order: it stays right while jobs come and go."""

    after: int = -1  # the sort key behind which to go on
    before: int = 0  # the number that the next job to come had at the first page; 0: it does not matter

    def text(self, *wish: object) -> str:
        """For this wish only."""
        packed = _LAYOUT.pack(_VERSION, self.after, self.before, _hash(wish))
        return urlsafe_b64encode(packed).rstrip(b"=").decode()

    @classmethod
    def read(cls, text: str | None, *wish: object) -> Self:
        """The start when there is none. Raises ValidationFailed for what was not given for this wish."""
        if text is None:
            return cls()
        if len(text) > _BYTES_MOST:
            raise _refused()
        try:
            packed = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            version, after, before, hash_ = _LAYOUT.unpack(packed)
        except (binascii.Error, UnicodeEncodeError, struct.error):
            raise _refused() from None
        if version != _VERSION or hash_ != _hash(wish):
            raise _refused()
        return cls(after, before)


def _hash(wish: tuple[object, ...]) -> bytes:
    return blake2b(repr(wish).encode(), digest_size=8).digest()


def _refused() -> ValidationFailed:
    return wrong("cursor", "is none that was given for this queue and filter: begin without one")
