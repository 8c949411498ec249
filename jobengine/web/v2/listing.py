"""The jobs of a queue, page by page."""

from typing import Annotated, Final
from urllib.parse import urlencode

from msgspec import Meta, Struct

from jobengine.access import Action
from jobengine.model.job import Job
from jobengine.model.states import State
from jobengine.web.reply import Reply
from jobengine.web.request import Request
from jobengine.web.routes import Variables
from jobengine.web.v2.broker import Broker
from jobengine.web.v2.decoding import read_query
from jobengine.web.v2.job import shown
from jobengine.web.v2.selecting import Selection

PAGE_BYTES_MOST: Final = 8 * 1024 * 1024
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
        pieces, last = await self._shown(selected.page.jobs)
        cursor = selection.cursor_behind(selected, last)
        if cursor is None:
            return Reply(200, b'{"jobs":[%b]}' % b",".join(pieces))
        body = b'{"jobs":[%b],"next_cursor":"%b"}' % (b",".join(pieces), cursor.encode())
        return Reply(200, body, headers=_link(caller.queue, query, cursor))

    async def _shown(self, jobs: list[Job]) -> tuple[list[bytes], Job | None]:
        """The jobs as JSON; and the last of them when the page is full of bytes before its end."""
        pieces: list[bytes] = []
        size = 0
        for job in jobs:
            piece = await shown(self._broker.engine, job)
            pieces.append(piece)
            size += len(piece)
            if size >= PAGE_BYTES_MOST and job is not jobs[-1]:
                return pieces, job
        return pieces, None


def _link(queue: str, query: ListQuery, cursor: str) -> bytes:
    """Where the next page is (RFC 8288)."""
    said = {"state": query.state, "filter": query.filter, "limit": query.limit, "cursor": cursor}
    text = urlencode({name: value for name, value in said.items() if value is not None})
    return f'Link: </api/v2/queues/{queue}/jobs?{text}>; rel="next"\r\n'.encode()
