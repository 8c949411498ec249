"""From the pipes of a program to the log of its job."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jobengine.errors import JobEngineError, LeaseLost
from jobengine.model.log import Stream
from jobengine.work.output import CHUNK_BYTES, Output


class Log:
    """Takes all, when it is not told to wait or to refuse."""

    def __init__(self) -> None:
        self.chunks: list[tuple[Stream, int, bytes]] = []
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.refusal: JobEngineError | None = None

    async def take(self, stream: Stream, offset: int, data: bytes) -> None:
        """A sink."""
        await self.is_open.wait()
        if self.refusal is not None:
            raise self.refusal
        self.chunks.append((stream, offset, data))

    def of(self, stream: Stream) -> list[tuple[int, bytes]]:
        """Where and what."""
        return [(offset, data) for each, offset, data in self.chunks if each is stream]

    def text(self, stream: Stream = Stream.OUT) -> bytes:
        """All of a stream."""
        return b"".join(data for _, data in self.of(stream))


class Pipes:
    """The ends in which a program writes."""

    def __init__(self) -> None:
        self._ends = {stream: os.pipe() for stream in Stream}
        self.log = Log()
        for end, _ in self._ends.values():
            os.set_blocking(end, False)

    def read(self, log_bytes: int) -> Output:
        """Begin to read them."""
        ends = {stream: end for stream, (end, _) in self._ends.items()}
        return Output(ends, self.log.take, log_bytes=log_bytes)

    async def write(self, data: bytes, stream: Stream = Stream.OUT) -> None:
        """As a program does, which waits when the pipe is full."""
        await asyncio.to_thread(_write_all, self._ends[stream][1], data)

    def close(self) -> None:
        """The program has ended."""
        for _, end in self._ends.values():
            os.close(end)


def _write_all(end: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(end, view) :]


@pytest.fixture
async def pipes() -> AsyncIterator[Pipes]:
    """Both of a program."""
    pipes = Pipes()
    yield pipes
    pipes.close()


async def test_what_comes_is_in_the_log_while_the_program_runs(pipes: Pipes) -> None:
    output = pipes.read(1000)
    await pipes.write(b"one\n")
    async with asyncio.timeout(10):
        while not pipes.log.chunks:
            await asyncio.sleep(0.01)
    assert pipes.log.of(Stream.OUT) == [(0, b"one\n")]
    await output.finish()


async def test_both_streams_are_told_apart(pipes: Pipes) -> None:
    output = pipes.read(1000)
    await pipes.write(b"good")
    await pipes.write(b"bad", Stream.ERR)
    assert await output.finish() is None
    assert (pipes.log.text(Stream.OUT), pipes.log.text(Stream.ERR)) == (b"good", b"bad")


async def test_little_by_little_is_not_sent_byte_by_byte(pipes: Pipes) -> None:
    output = pipes.read(1000)
    for _ in range(50):
        await pipes.write(b".")
    await output.finish()
    assert pipes.log.text() == b"." * 50
    assert len(pipes.log.chunks) < 10


async def test_much_comes_in_chunks_of_a_bounded_size(pipes: Pipes) -> None:
    output = pipes.read(10_000_000)
    data = os.urandom(3_000_000)
    await pipes.write(data)
    await output.finish()
    assert pipes.log.text() == data
    assert max(len(chunk) for _, _, chunk in pipes.log.chunks) <= CHUNK_BYTES
    assert [offset for offset, _ in pipes.log.of(Stream.OUT)] == sorted(
        offset for offset, _ in pipes.log.of(Stream.OUT)
    )


async def test_of_too_much_the_middle_is_left_out_and_the_tail_is_at_its_true_offset(pipes: Pipes) -> None:
    output = pipes.read(1000)
    data = b"".join(b"%06d\n" % number for number in range(100_000))
    await pipes.write(data)
    await output.finish()
    assert pipes.log.text() == data[:750] + data[-250:]
    assert pipes.log.of(Stream.OUT)[-1] == (len(data) - 250, data[-250:])


async def test_what_fits_has_no_gap(pipes: Pipes) -> None:
    output = pipes.read(1000)
    await pipes.write(b"x" * 1000)
    await output.finish()
    end = 0
    for offset, chunk in pipes.log.of(Stream.OUT):
        assert offset == end
        end += len(chunk)
    assert end == 1000


async def test_the_tails_of_both_streams_share_their_room(pipes: Pipes) -> None:
    output = pipes.read(1000)
    await pipes.write(b"o" * 100_000)
    await pipes.write(b"e" * 10, Stream.ERR)
    await output.finish()
    assert pipes.log.text(Stream.ERR) == b"e" * 10
    assert len(pipes.log.text()) == 990


async def test_two_long_tails_have_half_each(pipes: Pipes) -> None:
    output = pipes.read(1000)
    await pipes.write(b"o" * 100_000)
    await pipes.write(b"e" * 100_000, Stream.ERR)
    await output.finish()
    assert [offset for offset, _ in (pipes.log.of(Stream.OUT)[-1], pipes.log.of(Stream.ERR)[-1])] == [
        99_875
    ] * 2


async def test_a_log_that_hangs_lets_the_program_wait_and_holds_little(pipes: Pipes) -> None:
    pipes.log.is_open.clear()
    output = pipes.read(64_000_000)
    writing = asyncio.create_task(pipes.write(b"z" * 20_000_000))
    done, _ = await asyncio.wait([writing], timeout=0.5)
    assert not done
    pipes.log.is_open.set()
    await writing
    await output.finish()
    assert len(pipes.log.text()) == 20_000_000


async def test_a_log_that_refuses_lets_the_program_go_on(pipes: Pipes) -> None:
    pipes.log.refusal = LeaseLost()
    output = pipes.read(64_000_000)
    await pipes.write(b"z" * 20_000_000)
    assert isinstance(await output.finish(), LeaseLost)
    assert pipes.log.chunks == []


async def test_an_end_does_not_wait_for_who_holds_the_pipe_open(pipes: Pipes) -> None:
    output = pipes.read(1000)
    await pipes.write(b"last words")
    async with asyncio.timeout(10):
        await output.finish()  # nobody has closed the other end
    assert pipes.log.text() == b"last words"


async def test_a_reader_that_is_closed_leaves_nothing_open(pipes: Pipes) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    output = pipes.read(1000)
    await pipes.write(b"never read")
    output.close()
    output.close()
    await asyncio.sleep(0)
    assert len(list(Path("/proc/self/fd").iterdir())) == before - 2
