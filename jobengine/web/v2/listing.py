"""The jobs of a queue, page by page."""

from collections.abc import AsyncGenerator
from typing import Annotated, Final
from urllib.parse import urlencode

from msgspec import Meta, Struct

from jobengine.access import Action
from jobengine.model.blob import length_of
from jobengine.model.job import Job
from jobengine.model.states import State
from jobengine.web.reply import Reply, Stream
from jobengine.web.request import Request
from jobengine.web.routes import Variables
from jobengine.web.v2.broker import Broker
from jobengine.web.v2.decoding import read_query
from jobengine.web.v2.job import shown
from jobengine.web.v2.selecting import Selection

PAGE_BYTES_MOST: Final = 8 * 1024 * 1024
LONG_BYTES: Final = 256 * 1024  # from here on a page is written piece by piece
STATES: Final = "^(queued|inprogress|complete|failed)(,(queued|inprogress|complete|failed))*$"


class ListQuery(Struct, frozen=True):
    """Which jobs, and how many."""

    state: (
        Annotated[
            str, Meta(pattern=STATES, description="queued, inprogress, complete, failed, or some of them")
        ]
        | None
    ) = None
    filter: str | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 50
    cursor: str | None = None


class Listing:
    """GET /queues/{queue}/jobs."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def list_jobs(self, request: Request, variables: Variables) -> Reply:
        """Some of the jobs, in the queue's order; and where the next page begins."""
        caller = self._broker.caller(request, variables, Action.LIST)
        query = read_query(request, ListQuery)
        names = [] if query.state is None else query.state.split(",")
        selection = Selection(
            caller.queue, tuple(dict.fromkeys(map(State, names))), query.filter, query.cursor
        )
        selected = await selection.page(self._broker.engine, query.limit)
        jobs, size = _that_fit(selected.page.jobs)
        last = jobs[-1] if len(jobs) < len(selected.page.jobs) else None
        cursor = selection.cursor_behind(selected, last)
        headers = b"" if cursor is None else _link(caller.queue, query, cursor)
        if size >= LONG_BYTES:  # nobody knows how slowly it will be read
            return Stream(self._pieces(jobs, cursor), headers=headers)
        return Reply(200, b"".join([piece async for piece in self._pieces(jobs, cursor)]), headers=headers)

    async def _pieces(self, jobs: list[Job], cursor: str | None) -> AsyncGenerator[bytes, None]:
        """The page as JSON, job by job."""
        before = b'{"jobs":['
        for job in jobs:
            yield before + await shown(self._broker.engine, job)
            before = b","
        start = b"" if jobs else before
        yield start + (b"]}" if cursor is None else b'],"next_cursor":"%b"}' % cursor.encode())


def _that_fit(jobs: list[Job]) -> tuple[list[Job], int]:
    """The first of them, as many as a page should hold; and their bytes."""
    size = 0
    for count, job in enumerate(jobs, 1):
        size += _bytes_of(job)
        if size >= PAGE_BYTES_MOST:
            return jobs[:count], size
    return jobs, size


def _bytes_of(job: Job) -> int:
    """What it takes in a page, but for what is small in all jobs."""
    size = length_of(job.content)
    if job.extra is not None:
        size += length_of(job.extra.result) + length_of(job.extra.progress)
        size += sum(len(failure.text) for failure in job.extra.failures)
    return size


def _link(queue: str, query: ListQuery, cursor: str) -> bytes:
    """Where the next page is (RFC 8288)."""
    said = {"state": query.state, "filter": query.filter, "limit": query.limit, "cursor": cursor}
    text = urlencode({name: value for name, value in said.items() if value is not None})
    return f'Link: </api/v2/queues/{queue}/jobs?{text}>; rel="next"\r\n'.encode()
