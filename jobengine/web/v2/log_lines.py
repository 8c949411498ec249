"""What a job has written, piece by piece, from a place in it on."""

import math
import re
from base64 import b64encode
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from typing import Final

import msgspec
from msgspec import Struct

from jobengine.engine.interface import Engine
from jobengine.model.blob import length_of
from jobengine.model.log import Chunk, JobLog, Stream
from jobengine.web.v2.answers import LogLineView

_POSITION: Final = re.compile(r"([0-9]{1,18})-([0-9]{1,18})-([0-9]{1,18})", re.ASCII)
# How a character begins in UTF-8 (RFC 3629), the last that can, and how it goes on.
_FOUR_BYTES, _THREE_BYTES, _TWO_BYTES, _LAST, _FOLLOWING = 0xF0, 0xE0, 0xC2, 0xF4, 0x80


class Piece(Struct, frozen=True, gc=False):
    """Some bytes of a stream, and where they stand in it."""

    stream: Stream
    offset: int
    data: bytes
    cut: int = 0  # bytes that are missing before it

    def line(self) -> bytes:
        """As JSON."""
        try:
            view = LogLineView(self.stream.value, self.offset, text=self.data.decode())
        except UnicodeDecodeError:
            view = LogLineView(self.stream.value, self.offset, base64=b64encode(self.data).decode())
        return msgspec.json.encode(view)

    def plain(self) -> bytes:
        """As it was written, a cut told in words."""
        mark = f"\n[… {self.cut} bytes cut …]\n".encode() if self.cut else b""
        return mark + self.data


class Reader:
    """Reads a log while it grows, and knows how far it has come in each stream."""

    def __init__(self, engine: Engine, only: Stream | None) -> None:
        self._engine = engine
        self._only = only
        self.has_more = False  # than the last `pieces` gave
        self._epoch = 0
        self._read = dict.fromkeys(Stream, 0)

    def go_to(self, position: str) -> None:
        """Go on where another has stopped. Raises ValueError for what is no position."""
        found = _POSITION.fullmatch(position)
        if found is None:
            raise ValueError("is no position in a log: give back what was told")
        self._epoch, self._read[Stream.OUT], self._read[Stream.ERR] = map(int, found.groups())

    @property
    def position(self) -> str:
        """How far it has come."""
        return f"{self._epoch}-{self._read[Stream.OUT]}-{self._read[Stream.ERR]}"

    async def pieces(
        self, log: JobLog | None, *, is_over: bool, most: float = math.inf
    ) -> AsyncGenerator[Piece, None]:
        """All that is new, or about so many bytes of it.

        Half a character is kept back, unless no more is to come. Raises Damaged.
        """
        self.has_more = False
        if log is None:
            return
        if log.epoch != self._epoch:
            self._epoch, self._read = log.epoch, dict.fromkeys(Stream, 0)
        held: dict[Stream, Piece] = {}
        for chunk in self._new_chunks(log, most):
            piece = await self._piece(chunk)
            before = held.pop(chunk.stream, None)
            if before is not None and piece.cut:
                yield before
            elif before is not None:
                piece = Piece(chunk.stream, before.offset, before.data + piece.data, before.cut)
            whole, half = _divided(piece)
            if half.data:
                held[chunk.stream] = half
            if whole.data:
                yield whole
        for piece in held.values() if is_over and not self.has_more else self._kept_back(held):
            yield piece

    def _new_chunks(self, log: JobLog, most: float) -> Iterator[Chunk]:
        for chunk in log.chunks:
            if chunk.end > self._read[chunk.stream] and self._only in (None, chunk.stream):
                if most <= 0:
                    self.has_more = True
                    return
                most -= length_of(chunk.data)
                yield chunk

    def _kept_back(self, held: Mapping[Stream, Piece]) -> Iterable[Piece]:
        for piece in held.values():
            self._read[piece.stream] = piece.offset
        return ()

    async def _piece(self, chunk: Chunk) -> Piece:
        """What of it is new."""
        data = await self._engine.content(chunk.data)
        read = self._read[chunk.stream]
        begin = max(chunk.offset, read)
        self._read[chunk.stream] = chunk.end
        return Piece(chunk.stream, begin, data[begin - chunk.offset :], begin - read)


def _divided(piece: Piece) -> tuple[Piece, Piece]:
    """Its whole characters, and the beginning of one that goes on in the next piece."""
    half = _half_character(piece.data[-3:])
    at = len(piece.data) - half
    rest = Piece(piece.stream, piece.offset + at, piece.data[at:], 0 if at else piece.cut)
    return Piece(piece.stream, piece.offset, piece.data[:at], piece.cut), rest


def _half_character(end: bytes) -> int:
    """How many of the last bytes are the beginning of a character that is not all there."""
    for count, byte in enumerate(reversed(end), 1):
        if byte < _FOLLOWING or byte > _LAST:
            return 0
        if byte >= _TWO_BYTES:
            length = 4 if byte >= _FOUR_BYTES else 3 if byte >= _THREE_BYTES else 2
            return count if count < length else 0
    return 0
