"""Programs to start, and what comes of them."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct

from jobengine.model.log import Stream
from jobengine.work.conditions import PATH
from jobengine.work.output import Output
from jobengine.work.spawner.launch import Launch
from jobengine.work.spawner.limits import Limits
from jobengine.work.spawner.process import Ended, Process
from jobengine.work.spawner.spawner import Spawner
from jobengine.work.spawner.user import User, user_for

MEBIBYTE = 1024 * 1024


class Ran(Struct):
    """A program that has run."""

    ended: Ended
    out: str
    err: str


def somebody() -> User | None:
    """As whom tests run programs: root's are nobody's."""
    return user_for("nobody" if os.geteuid() == 0 else None, is_sandboxed=False)


def launch(
    *argv: str, limits: Limits | None = None, directory: Path = Path("/"), **environment: str
) -> Launch:
    """A program with no more limits than any."""
    return Launch(
        argv=argv,
        directory=directory,
        environment={"PATH": PATH, **environment},
        limits=limits or Limits(),
        user=somebody(),
    )


def shell(command: str, limits: Limits | None = None) -> Launch:
    """A command line."""
    return launch("sh", "-c", command, limits=limits)


async def see(process: Process) -> Ran:
    """Wait for its end."""
    said = {Stream.OUT: bytearray(), Stream.ERR: bytearray()}

    async def keep(stream: Stream, offset: int, data: bytes) -> None:
        said[stream] += data

    output = Output({Stream.OUT: process.output, Stream.ERR: process.errors}, keep, log_bytes=MEBIBYTE)
    ended = await process.ended()
    await output.finish()
    return Ran(ended, said[Stream.OUT].decode(), said[Stream.ERR].decode())


async def run(spawner: Spawner, started: Launch) -> Ran:
    """Start a program, and wait for its end."""
    return await see(await spawner.spawn(started))


@asynccontextmanager
async def spawning() -> AsyncIterator[Spawner]:
    """A spawner for as long as it is needed."""
    spawner = Spawner()
    try:
        yield spawner
    finally:
        await spawner.stop()


def is_alive(process: int) -> bool:
    """Whether it runs, or could go on; one that has ended and waits for its parent does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def processes_now() -> int:
    """How many threads the user of these programs has already."""
    user = somebody()
    owner = os.geteuid() if user is None else user.user_id
    return sum(1 for path in Path("/proc").glob("[0-9]*/task/*") if _owner(path) == owner)


def _owner(path: Path) -> int | None:
    try:
        return path.stat().st_uid
    except FileNotFoundError:
        return None


async def line(pipe: int) -> bytes:
    """What a program says next."""
    while True:
        try:
            return os.read(pipe, 4096)
        except BlockingIOError:
            await asyncio.sleep(0.01)


async def until_gone(process: int) -> None:
    """Wait until it is."""
    async with asyncio.timeout(10):
        while is_alive(process):
            await asyncio.sleep(0.01)
