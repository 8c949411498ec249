"""Big values: one or more blob frames each, and a Blob that says where they stand."""

import hashlib
from collections.abc import Iterator

from jobengine.errors import Damaged
from jobengine.journal.files import Files, read_all
from jobengine.journal.frame import HEAD_BYTES, FrameSealer, FrameType
from jobengine.model.job import BLOB_PART_BYTES, Blob


def parts_of(value: bytes) -> Iterator[bytes]:
    """The pieces of a value that make a frame each."""
    for start in range(0, len(value), BLOB_PART_BYTES):
        yield value[start : start + BLOB_PART_BYTES]


class BlobReader:
    """Fetches big values. May be used by several threads."""

    def __init__(self, files: Files, file: int, sealer: FrameSealer) -> None:
        self._files = files
        self._file = file
        self._sealer = sealer

    def read(self, blob: Blob) -> bytes:
        """The whole value. Raises Damaged."""
        return b"".join(self.parts(blob))

    def parts(self, blob: Blob) -> Iterator[bytes]:
        """The value in pieces; only behind the last one is it known to be whole. Raises Damaged."""
        digest, length = hashlib.sha256(), 0
        for offset in blob.offsets:
            part = self._part(offset)
            digest.update(part)
            length += len(part)
            yield part
        if (length, digest.digest()) != (blob.length, blob.digest):
            raise Damaged(f"the big value at {list(blob.offsets)} is not the one that was put there")

    def _part(self, offset: int) -> bytes:
        data = read_all(self._files, self._file, HEAD_BYTES, offset)
        head = self._sealer.head(data, 0, offset=offset)
        if head is not None and head.type == FrameType.BLOB:
            data += read_all(self._files, self._file, head.end - offset - HEAD_BYTES, offset + HEAD_BYTES)
            if (body := self._sealer.body(head, data, 0)) is not None:
                return body
        raise Damaged(f"the big value at offset {offset} is damaged; see `jobengine db repair`")
