"""Which jobs have big values, and whether those are the ones that were put there."""

import hashlib
from collections.abc import Iterator
from typing import Final

from msgspec import DecodeError
from msgspec.msgpack import Decoder

from jobengine.errors import Damaged
from jobengine.journal.blobs import BlobReader
from jobengine.journal.frame import FrameType, Head
from jobengine.journal.records import (
    AlterJobRecord,
    AppendLogRecord,
    BlobRecord,
    MoveJobRecord,
    PutJobRecord,
    Record,
)
from jobengine.model.blob import Blob
from jobengine.model.extra import Extra

_BLOB: Final = FrameType.BLOB
_CHANGES: Final = frozenset((FrameType.CHANGES, FrameType.SNAPSHOT))
# Where a body does not hold the first bytes of a digest in MessagePack, no record in it has a big value.
# To look for these costs much less than to decode all records.
_DIGEST: Final = b"\xc4\x20"


class References:
    """Gathers the big values of a file, and who refers to them, while it is read."""

    def __init__(self) -> None:
        self.are_expected = (
            False  # a value stands before who refers to it: there is none before the first blob
        )
        self._decoder: Decoder[list[Record]] = Decoder(list[Record])
        self._digests: dict[int, tuple[int, bytes]] = {}  # offset of a blob → its length and digest
        self._values: dict[tuple[int, ...], tuple[Blob, str]] = {}  # offsets → the value, and its job

    def add(self, head: Head, body: bytes) -> None:
        """One more frame. Raises Damaged."""
        if head.type == _BLOB:
            self.are_expected = True
            self._digests[head.offset] = (len(body), hashlib.sha256(body).digest())
        elif self.are_expected and head.type in _CHANGES and _DIGEST in body:
            self._add_records(head, body)

    def damaged(self, blobs: BlobReader) -> Iterator[tuple[str, Blob]]:
        """The uid of each job whose big value is not there as it should be, and the value."""
        for blob, uid in self._values.values():
            if not (self._is_here(blob) and self._is_whole(blob, blobs)):
                yield uid, blob

    def _add_records(self, head: Head, body: bytes) -> None:
        try:
            records = self._decoder.decode(memoryview(body)[1:])
        except DecodeError:
            raise Damaged(
                f"frame {head.sequence} at offset {head.offset} is authentic, and yet makes no sense"
            ) from None
        for record in records:
            match record:
                case PutJobRecord(uid=uid, content=content, extra=extra):
                    self._note(uid, content)
                    self._note(uid, None if extra is None else extra.result)
                    self._note(uid, None if extra is None else extra.saved)
                case AlterJobRecord(MoveJobRecord(uid=uid), Extra(result=result, saved=saved)):
                    self._note(uid, result)
                    self._note(uid, saved)
                case AppendLogRecord(uid=uid, data=data):
                    self._note(uid, data)

    def _note(self, uid: str, value: bytes | BlobRecord | Blob | None) -> None:
        if isinstance(value, BlobRecord | Blob):
            self._values[value.offsets] = (Blob(value.length, value.digest, value.offsets), uid)

    def _is_here(self, blob: Blob) -> bool:
        return all(offset in self._digests for offset in blob.offsets)

    def _is_whole(self, blob: Blob, blobs: BlobReader) -> bool:
        if len(blob.offsets) == 1:
            return self._digests[blob.offsets[0]] == (blob.length, blob.digest)
        try:
            for _ in blobs.parts(blob):
                pass
        except Damaged:
            return False
        return True
