"""From a program's pipes to the log of its job: the beginning, and the end; no memory for what is between."""

import asyncio
import os
from collections.abc import Mapping
from typing import Final

from jobengine.errors import JobEngineError
from jobengine.model.log import Stream
from jobengine.work.runner import LogSink

CHUNK_BYTES: Final = 256 * 1024
WAIT_SECONDS: Final = 0.1  # after its first byte less than a chunk is sent
_TAIL_MOST: Final = 1024 * 1024
_UNSENT_MOST: Final = 4 * 1024 * 1024  # then the program waits for the log
_READ_BYTES: Final = 64 * 1024
# A program that does nothing but print is read at about 100 MB/s, so that others have their turn.
_TURN_BYTES: Final = 1024 * 1024
_REST_SECONDS: Final = 0.008
_LAST_WORDS: Final = 2048  # bytes
_LAST_READS: Final = 8  # more than a pipe holds: who still has the other end may go on writing for ever


class Output:
    """Both streams of one program, into a log of so many bytes.

    Of more the middle is left out: the tail of each stream follows in the end, at its true offset.
    """

    def __init__(self, pipes: Mapping[Stream, int], sink: LogSink, *, log_bytes: int) -> None:
        """Take over these pipes, which must not block."""
        self._loop = asyncio.get_running_loop()
        self._sink = sink
        self._tail_most = min(log_bytes // 4, _TAIL_MOST)
        self._head_left = log_bytes - self._tail_most
        self._buffer = memoryview(bytearray(_READ_BYTES))
        self._flows = [_Flow(stream, pipe) for stream, pipe in pipes.items()]
        self._refusal: JobEngineError | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._wakes = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None  # many programs print nothing
        self._turn_left = _TURN_BYTES
        self._rest: asyncio.TimerHandle | None = None
        self._is_over = False
        self._is_paused = True
        self._go_on_reading()

    async def finish(self) -> JobEngineError | None:
        """The program has ended: send what is there, wait for no more. What the log said if it refused."""
        for flow in self._flows:
            for _ in range(_LAST_READS):
                if flow.is_closed or not self._take(flow):
                    break
        self._close_pipes()
        self._is_over = True
        self._wakes.set()
        if self._sending is not None:
            await self._sending
        return self._refusal

    def last_words(self, stream: Stream) -> bytes:
        """The very last of a stream, whatever the log took."""
        return next(flow.last for flow in self._flows if flow.stream is stream)

    def close(self) -> None:
        """Read and send no more, whatever is there."""
        self._close_pipes()
        if self._sending is not None:
            self._sending.cancel()

    # --- from the pipes ---

    def _read(self, flow: "_Flow") -> None:
        self._take(flow)
        if self._turn_left <= 0 and self._rest is None:
            self._rest = self._loop.call_later(_REST_SECONDS, self._is_rested)
        if (self._rest is not None or self._unsent >= _UNSENT_MOST) and not self._is_paused:
            self._is_paused = True
            for each in self._flows:
                self._loop.remove_reader(each.pipe)

    def _is_rested(self) -> None:
        self._rest = None
        self._turn_left = _TURN_BYTES
        self._go_on_reading()

    def _go_on_reading(self) -> None:
        if self._is_paused and self._rest is None and self._unsent < _UNSENT_MOST:
            self._is_paused = False
            for flow in self._flows:
                if not flow.is_closed:
                    self._loop.add_reader(flow.pipe, self._read, flow)

    def _take(self, flow: "_Flow") -> bool:
        """Read once; False when there is nothing."""
        try:
            count = os.readv(flow.pipe, [self._buffer])
        except BlockingIOError:
            return False
        if count == 0:
            self._close(flow)
            return False
        self._turn_left -= count
        to_head = min(self._head_left, count)
        self._head_left -= to_head
        flow.add(self._buffer[:count], to_head)
        self._cut()
        self._wake_sender()
        return True

    def _cut(self) -> None:
        """Of two long tails each keeps half; a short one leaves its rest to the other."""
        left = self._tail_most
        by_length = sorted(self._flows, key=lambda flow: len(flow.tail))
        for others, flow in zip(reversed(range(len(by_length))), by_length, strict=True):
            flow.shorten(left // (others + 1))
            left -= len(flow.tail)

    def _wake_sender(self) -> None:
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())
        if self._unsent >= CHUNK_BYTES:
            self._wakes.set()
        elif self._unsent and self._timer is None:
            self._timer = self._loop.call_later(WAIT_SECONDS, self._time_is_up)

    def _time_is_up(self) -> None:
        self._timer = None
        self._wakes.set()

    def _close_pipes(self) -> None:
        for flow in self._flows:
            self._close(flow)
        for timer in (self._timer, self._rest):
            if timer is not None:
                timer.cancel()

    def _close(self, flow: "_Flow") -> None:
        if not flow.is_closed:
            flow.is_closed = True
            self._loop.remove_reader(flow.pipe)
            os.close(flow.pipe)

    @property
    def _unsent(self) -> int:
        return sum(len(flow.head) for flow in self._flows)

    # --- to the log ---

    async def _send(self) -> None:
        try:
            while not self._is_over:
                await self._wakes.wait()
                self._wakes.clear()
                for flow in self._flows:
                    await self._send_head(flow, len(flow.head))
                self._go_on_reading()
            for flow in self._flows:
                await self._send_head(flow, len(flow.head))
                await self._send_tail(flow)
        except JobEngineError as refusal:
            self._refuse(refusal)

    async def _send_head(self, flow: "_Flow", count: int) -> None:
        while count > 0:
            chunk = bytes(flow.head[: min(count, CHUNK_BYTES)])
            await self._sink(flow.stream, flow.sent, chunk)
            flow.sent += len(chunk)
            count -= len(chunk)
            del flow.head[: len(chunk)]

    async def _send_tail(self, flow: "_Flow") -> None:
        start = flow.seen - len(flow.tail)
        for begin in range(0, len(flow.tail), CHUNK_BYTES):
            await self._sink(flow.stream, start + begin, bytes(flow.tail[begin : begin + CHUNK_BYTES]))

    def _refuse(self, refusal: JobEngineError) -> None:
        """Nobody wants it any more; it is read all the same, so that the program does not wait."""
        self._refusal = refusal
        self._head_left = self._tail_most = 0
        for flow in self._flows:
            flow.head.clear()
            flow.tail.clear()
        self._go_on_reading()


class _Flow:
    """One stream: what is to be sent next, and the last of what comes after that."""

    def __init__(self, stream: Stream, pipe: int) -> None:
        self.stream = stream
        self.pipe = pipe
        self.is_closed = False
        self.seen = 0  # bytes that came
        self.sent = 0
        self.head = bytearray()
        self.tail = bytearray()
        self.last = b""

    def add(self, data: memoryview, to_head: int) -> None:
        self.seen += len(data)
        self.head += data[:to_head]
        self.tail += data[to_head:]
        self.last = (self.last + bytes(data[-_LAST_WORDS:]))[-_LAST_WORDS:]

    def shorten(self, most: int) -> None:
        if (over := len(self.tail) - most) > 0:
            del self.tail[:over]
