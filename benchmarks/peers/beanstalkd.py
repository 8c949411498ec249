"""beanstalkd with a synced binlog (-f0). A small client of our own: Debian has no load generator for it."""

import asyncio
import random
import shutil
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvloop

from benchmarks.job import content
from benchmarks.peers.peer import Peer
from benchmarks.peers.peer_connections import CONNECTIONS
from benchmarks.processes import accepts, free_port, started, wait_until

REMARK = "`-b -f0`; claims are not written: a crash puts them back; load by a client in Python"
CLAIM = b"reserve-with-timeout 0\r\n"
END = b"\r\n"

# What one connection says: it yields a request, and is given the answer.
Dialogue = Generator[bytes, bytes, None]


def installed() -> bool:
    """Is it there?"""
    return shutil.which("beanstalkd") is not None


@contextmanager
def serving_beanstalkd(directory: Path, operations: int) -> Iterator[Peer]:
    """beanstalkd, while the block runs."""
    port, log = free_port(), directory / "log"
    command = ["beanstalkd", "-l", "127.0.0.1", "-p", str(port), "-b", str(directory), "-f0"]
    with started(command, log=log) as process:
        wait_until(lambda: accepts(port), process, log=log)
        yield Beanstalkd(port, operations)


class Beanstalkd:
    """A running beanstalkd."""

    def __init__(self, port: int, operations: int) -> None:
        self._port = port
        self._operations = operations

    def create(self) -> float:
        """put."""
        return self._rate(creating)

    def claim(self) -> float:
        """reserve."""
        return self._rate(claiming)

    def live(self) -> float:
        """put, reserve, delete."""
        return self._rate(living)

    def _rate(self, dialogue: Callable[[Iterator[int]], Dialogue]) -> float:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            seconds = runner.run(converse(self._port, dialogue, self._operations))
        return self._operations / seconds


def creating(budget: Iterator[int]) -> Dialogue:
    """Create for as long as the budget, which all connections share, lasts."""
    for _ in budget:
        _expect(b"INSERTED", (yield put()))


def claiming(budget: Iterator[int]) -> Dialogue:
    """Claim."""
    for _ in budget:
        _expect(b"RESERVED", (yield CLAIM))


def living(budget: Iterator[int]) -> Dialogue:
    """Create, claim, complete."""
    for _ in budget:
        _expect(b"INSERTED", (yield put()))
        claimed = yield CLAIM
        _expect(b"RESERVED", claimed)
        _expect(b"DELETED", (yield b"delete " + claimed.split(maxsplit=2)[1] + END))


def put() -> bytes:
    """A create of any priority; its time to run is ten minutes, as our lease."""
    body = content().encode()
    return b"put %d 0 600 %d\r\n%b\r\n" % (random.randrange(100), len(body), body)


def _expect(word: bytes, answer: bytes) -> None:
    if not answer.startswith(word):
        raise RuntimeError(f"beanstalkd answered {answer[:100]!r}")


async def converse(port: int, dialogue: Callable[[Iterator[int]], Dialogue], operations: int) -> float:
    """Hold 32 dialogues at once, and share so many operations among them: the seconds they took."""
    budget = iter(range(operations))
    callers = [await connect(port, dialogue(budget)) for _ in range(CONNECTIONS)]
    begun = time.perf_counter()
    for caller in callers:
        caller.go_on(None)
    await asyncio.gather(*(caller.ended for caller in callers))
    return time.perf_counter() - begun


async def connect(port: int, dialogue: Dialogue) -> "Caller":
    """A connection that has not said anything yet."""
    loop = asyncio.get_running_loop()
    caller = Caller(dialogue, loop.create_future())
    caller.transport, _ = await loop.create_connection(lambda: caller, "127.0.0.1", port)
    return caller


class Caller(asyncio.Protocol):
    """One connection that sends what its dialogue says next."""

    transport: asyncio.Transport

    def __init__(self, dialogue: Dialogue, ended: asyncio.Future[None]) -> None:
        self.ended = ended
        self._dialogue = dialogue
        self._received = b""

    def data_received(self, data: bytes) -> None:
        """Go on when the answer is whole."""
        self._received += data
        if is_whole(self._received):
            answer, self._received = self._received, b""
            self.go_on(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """An answer that never comes must not be waited for."""
        if not self.ended.done():
            self.ended.set_exception(exc or RuntimeError("beanstalkd closed the connection"))

    def go_on(self, answer: bytes | None) -> None:
        """Hand an answer to the dialogue (None begins it), and send what it says to that."""
        try:
            self.transport.write(self._dialogue.send(answer))  # type: ignore[arg-type]  # None begins
        except StopIteration:
            self.ended.set_result(None)
            self.transport.close()
        except RuntimeError as error:
            self.ended.set_exception(error)
            self.transport.close()


def is_whole(answer: bytes) -> bool:
    """Is this all of an answer? A claimed job's second line is as long as the first one says."""
    line, found, body = answer.partition(END)
    if line.startswith(b"RESERVED"):
        return bool(found) and len(body) == int(line.rpartition(b" ")[2]) + len(END)
    return bool(found)
