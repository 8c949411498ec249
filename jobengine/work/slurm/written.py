"""What a job writes into two files, on its way to the log: as `work/output.py` keeps what comes by pipes."""

import asyncio
from pathlib import Path
from typing import Final

import structlog

from jobengine.errors import JobEngineError
from jobengine.model.log import Stream
from jobengine.work.left import open_left
from jobengine.work.outcome import Refused
from jobengine.work.output import CHUNK_BYTES
from jobengine.work.runner import LogSink

_TAIL_MOST: Final = 1024 * 1024

log = structlog.get_logger(__name__)


class Written:
    """The files `out` and `err` in one directory: their beginning as it comes, and in the end their end."""

    def __init__(self, directory: Path, sink: LogSink, *, log_bytes: int) -> None:
        self._directory = directory
        self._sink = sink
        self._tail_most = min(log_bytes // 4, _TAIL_MOST)
        self._head_left = log_bytes - self._tail_most
        self._sent = dict.fromkeys(Stream, 0)

    async def send_new(self) -> None:
        """What has come since the last time."""
        for stream in Stream:
            await self._send(stream, self._head_left, is_head=True)

    async def finish(self) -> None:
        """All that is still to be told."""
        await self.send_new()
        for stream in Stream:
            most = self._tail_most // len(Stream)
            size = await asyncio.to_thread(self._size, stream)
            self._sent[stream] = max(self._sent[stream], size - most)
            await self._send(stream, most, is_head=False)

    async def _send(self, stream: Stream, most: int, *, is_head: bool) -> None:
        while most > 0:
            offset = self._sent[stream]
            data = await asyncio.to_thread(self._read, stream, offset, min(most, CHUNK_BYTES))
            if not data:
                return
            most -= len(data)
            self._head_left -= len(data) if is_head else 0
            self._sent[stream] = offset + len(data)
            await self._tell(stream, offset, data)

    async def _tell(self, stream: Stream, offset: int, data: bytes) -> None:
        try:
            await self._sink(stream, offset, data)
        except JobEngineError as refusal:
            log.warning("log_refused", reason=refusal.detail)
            self._head_left = self._tail_most = 0

    def _read(self, stream: Stream, offset: int, most: int) -> bytes:
        try:
            with open_left(self._directory, stream.value) as file:
                file.seek(offset)
                return file.read(most)
        except (OSError, Refused):
            return b""  # it is not there yet, or no file

    def _size(self, stream: Stream) -> int:
        try:
            with open_left(self._directory, stream.value) as file:
                return file.seek(0, 2)
        except (OSError, Refused):
            return 0
