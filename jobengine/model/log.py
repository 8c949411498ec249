"""The output of a job that was run: pieces of two streams, in the order in which they came."""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from jobengine.model.blob import BLOB_THRESHOLD_BYTES, Blob, length_of

CHUNK_OVERHEAD_BYTES: Final = 200  # of memory
CHUNKS_MOST: Final = 10_000  # of one log: small pieces of one stream are joined, but two may take turns


class Stream(StrEnum):
    """Where a program writes."""

    OUT = "out"
    ERR = "err"


class Chunk(Struct, frozen=True, gc=False):
    """A piece of a stream. What lies between the end of one and the offset of the next was cut out."""

    stream: Stream
    offset: int  # bytes of the stream before it
    data: bytes | Blob

    @property
    def end(self) -> int:
        """The offset of what comes next."""
        return self.offset + length_of(self.data)


class JobLog(Struct, frozen=True, gc=False):
    """What one attempt has written so far."""

    epoch: int  # of the lease under which it was written
    chunks: tuple[Chunk, ...] = ()
    bytes: int = 0  # that are kept, of both streams
    memory: int = 0  # about how many bytes of it all take

    def end(self, stream: Stream) -> int:
        """How far a stream has come, in bytes."""
        return next((chunk.end for chunk in reversed(self.chunks) if chunk.stream is stream), 0)

    def rest(self, chunk: Chunk) -> Chunk | None:
        """What of a piece is not there yet; None when nothing is. One in the file only is never divided."""
        known = self.end(chunk.stream) - chunk.offset
        if known <= 0:
            return chunk if chunk.end > chunk.offset else None
        if chunk.end <= self.end(chunk.stream) or not isinstance(chunk.data, bytes):
            return None
        return Chunk(chunk.stream, chunk.offset + known, chunk.data[known:])

    def appended(self, piece: Chunk) -> "JobLog":
        """The log with this piece behind the others; the same when it has it already.

        It may have the beginning only: small pieces are joined, and a compaction may tell of both.
        """
        chunk = self.rest(piece)
        if chunk is None:
            return self
        size = length_of(chunk.data)
        kept, last = self.chunks, self.chunks[-1] if self.chunks else None
        memory = self.memory + (size if isinstance(chunk.data, bytes) else 0)
        if last is not None and (joined := _joined(last, chunk)) is not None:
            kept, chunk = kept[:-1], joined
        else:
            memory += CHUNK_OVERHEAD_BYTES
        return JobLog(self.epoch, (*kept, chunk), self.bytes + size, memory)

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """Its pieces that stand in the file only."""
        return tuple(chunk.data for chunk in self.chunks if isinstance(chunk.data, Blob))


def _joined(last: Chunk, chunk: Chunk) -> Chunk | None:
    """Both as one, when they belong together and stay small."""
    if last.stream is not chunk.stream or last.end != chunk.offset:
        return None
    if not isinstance(last.data, bytes) or not isinstance(chunk.data, bytes):
        return None
    if len(last.data) + len(chunk.data) > BLOB_THRESHOLD_BYTES:
        return None
    return Chunk(last.stream, last.offset, last.data + chunk.data)
