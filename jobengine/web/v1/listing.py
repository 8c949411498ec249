"""GetAllJobs: one moment's picture of a queue, written as it is read."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from msgspec import Struct

from jobengine.engine.interface import Engine, Slice
from jobengine.model.job import Job
from jobengine.model.states import State
from jobengine.web.reply import Reply, Stream
from jobengine.web.v1.job import job_json

PIECE_BYTES: Final = 64 * 1024


class Selection(Struct, frozen=True):
    """Which jobs of a queue are wanted."""

    queue: str
    state: State | None
    most: int | None
    after: str | None  # the uid of the job behind which to begin


async def list_jobs(engine: Engine, selection: Selection) -> Reply:
    """The jobs as one JSON object, by their position in the queue's order; 204 when there is none.

    Raises NotFound. A list may be larger than the memory: what is over one piece is streamed.
    """
    pieces = _pieces(engine, selection)
    first = await anext(pieces, None)
    if first is None:
        return Reply(204)
    second = await anext(pieces, None)
    if second is None:
        return Reply(200, first)
    return Stream(_chained(first, second, pieces))


async def _chained(
    first: bytes, second: bytes, rest: AsyncGenerator[bytes, None]
) -> AsyncGenerator[bytes, None]:
    async with aclosing(rest):
        yield first
        yield second
        async for piece in rest:
            yield piece


async def _pieces(engine: Engine, selection: Selection) -> AsyncGenerator[bytes, None]:
    """The text of the object in pieces of about PIECE_BYTES; none at all when it would be empty."""
    piece = bytearray()
    before = b"{"
    async with aclosing(_chosen(engine, selection)) as chosen:
        async for position, job in chosen:
            content = job.content if isinstance(job.content, bytes) else await engine.content(job.content)
            piece += b'%b"%d":%b' % (before, position, job_json(job, content))
            before = b","
            if len(piece) >= PIECE_BYTES:
                yield bytes(piece)
                piece.clear()
    if before == b",":
        yield bytes(piece) + b"}"


async def _chosen(engine: Engine, selection: Selection) -> AsyncGenerator[tuple[int, Job], None]:
    left = selection.most
    async with aclosing(engine.slices(selection.queue, after=selection.after)) as slices:
        async for some in slices:
            for position, job in _of_state(some, selection.state):
                yield position, job
                left = None if left is None else left - 1
                if left == 0:
                    return


def _of_state(some: Slice, state: State | None) -> list[tuple[int, Job]]:
    numbered = enumerate(some.jobs, some.position)
    return [(position, job) for position, job in numbered if state is None or job.state is state]
