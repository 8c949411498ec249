"""One frame: a sealed record of the database file, aligned to 128 bytes so that no head straddles a sector.

The head, little-endian:

       0   4  magic
       4   1  type, and three zeros
       8   4  length of the body, and four zeros
      16   8  sequence, one more than that of the frame before
      24   8  offset of this frame in the file
      32   8  time, ms since the Unix epoch
      40  24  nonce
      64  16  tag of the frame before
      80  16  tag of this body
      96  32  HMAC-SHA256 of bytes 0 to 96
     128      the body, XAES-256-GCM, with bytes 0 to 80 as associated data
              zeros up to the next multiple of 128

The tag of the body stands in the head, so that a reader may believe the length and skip the body.
"""

import struct
from enum import IntEnum
from typing import Final

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from msgspec import Struct

from jobengine.journal.cipher import TAG_BYTES, Nonces, Xaes
from jobengine.journal.keys import Keys

HEAD_BYTES: Final = 128
ALIGNMENT: Final = 128
MAGIC: Final = b"\xf7JEF"

_LAYOUT: Final = struct.Struct("<4sB3xI4xQQQ24s16s16s")
_ASSOCIATED_BYTES: Final = 80
_AUTHENTICATED_BYTES: Final = 96
_PADDING: Final = bytes(ALIGNMENT)


class FrameType(IntEnum):
    """What a frame holds."""

    CHANGES = 1  # one group commit
    BLOB = 2  # a big value, or a part of it
    SNAPSHOT = 3  # changes that rebuild what a compaction found
    SNAPSHOT_END = 4  # how much that was
    SEAL = 5  # nothing: the file was closed in good order


class Head(Struct, frozen=True, gc=False):
    """The head of a frame."""

    type: int
    length: int
    sequence: int
    offset: int
    time: int
    nonce: bytes
    tag_before: bytes
    tag: bytes

    @property
    def end(self) -> int:
        """The offset right behind this frame, its zeros included."""
        return self.offset + HEAD_BYTES + padded(self.length)


class Place(Struct, frozen=True, gc=False):
    """A place between two frames, and what the next one needs to know of the one before."""

    end: int  # offset at which the next frame starts
    sequence: int  # of the frame before
    time: int  # of the frame before
    tag: bytes  # of the frame before


class Frame(Struct, frozen=True, gc=False):
    """A sealed frame, ready to be written."""

    data: bytes
    offset: int
    after: Place


class FrameSealer:
    """Seals frames and opens them, under the keys of one file."""

    def __init__(self, keys: Keys) -> None:
        self._body = Xaes(keys.body)
        self._keyed = HMAC(keys.head, SHA256())  # a copy of it costs a third of setting the key anew
        self._nonces = Nonces()

    def seal(self, kind: FrameType, body: bytes, *, time: int, before: Place) -> Frame:
        """The frame that stands next. Time does not run back."""
        nonce, sequence, time = self._nonces.next(), before.sequence + 1, max(time, before.time)
        numbers = (MAGIC, kind, len(body), sequence, before.end, time, nonce, before.tag)
        associated = _LAYOUT.pack(*numbers, b"")[:_ASSOCIATED_BYTES]
        sealed = self._body.encrypt(nonce, body, associated)
        tag = sealed[-TAG_BYTES:]
        head = associated + tag
        padding = bytes(padded(len(body)) - len(body))
        data = b"".join((head, self._code(head).finalize(), memoryview(sealed)[:-TAG_BYTES], padding))
        return Frame(data, before.end, Place(before.end + len(data), sequence, time, tag))

    def head(self, data: bytes, position: int, *, offset: int) -> Head | None:
        """The head that stands at this position of `data`, if it is authentic and belongs at `offset`."""
        if not data.startswith(MAGIC, position):
            return None
        end = position + _AUTHENTICATED_BYTES
        try:
            self._code(data[position:end]).verify(data[end : position + HEAD_BYTES])
        except InvalidSignature:
            return None
        head = Head(*_LAYOUT.unpack_from(data, position)[1:])
        return head if head.offset == offset else None

    def body(self, head: Head, data: bytes, position: int) -> bytes | None:
        """The body of the frame at this position of `data`, if it is authentic and padded with zeros."""
        start = position + HEAD_BYTES
        end = start + head.length
        if not _PADDING.startswith(data[end : position + head.end - head.offset]):
            return None
        associated = data[position : position + _ASSOCIATED_BYTES]
        try:
            return self._body.decrypt(head.nonce, data[start:end] + head.tag, associated)
        except InvalidTag:
            return None

    def _code(self, authenticated: bytes) -> HMAC:
        code = self._keyed.copy()
        code.update(authenticated)
        return code


def padded(length: int) -> int:
    """The length of a body with its zeros."""
    return -(-length // ALIGNMENT) * ALIGNMENT
