"""The routes of API v1. No rules here: identify, parse, submit, reply."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import UNSET, Struct

from jobengine.access import DOCUMENTED_RIGHTS, Access, Action, Right
from jobengine.engine.interface import Engine
from jobengine.errors import Problem, ValidationFailed
from jobengine.model.commands import Act, Claim, Control, Create, Draft, Update, only
from jobengine.model.job import Job
from jobengine.model.states import State
from jobengine.web.body import BodyReader
from jobengine.web.caller import only_header, who_asks
from jobengine.web.reply import NO_CONTENT, Reply
from jobengine.web.request import Request
from jobengine.web.routes import Route, Variables
from jobengine.web.v1.bodies import BodyT, read_create, read_update
from jobengine.web.v1.descriptions import CLAIM, CREATE, DELETE, GET, LIST, TEST, UPDATE
from jobengine.web.v1.job import job_json
from jobengine.web.v1.listing import Selection, list_jobs

LONG_BYTES: Final = 32 * 1024
_STATUSES: Final = {
    state.value: state for state in (State.QUEUED, State.INPROGRESS, State.COMPLETE, State.FAILED)
}


class Caller(Struct, frozen=True, gc=False):
    """Who asks, for which queue, and what they may do there."""

    service: str
    queue: str
    rights: frozenset[Right]


class V1:
    """The documented routes, and the two of its document's to-do list."""

    def __init__(self, engine: Engine, access: Access, bodies: BodyReader) -> None:
        self._engine = engine
        self._access = access
        self._bodies = bodies

    def routes(self) -> Iterator[Route]:
        """Method, path, what it does, and by which rule of `access`."""
        for method, path, action, answer, description in (
            ("GET", "/test", None, self.test, TEST),
            ("PUT", "/jobs/create", Action.CREATE, self.create, CREATE),
            ("GET", "/jobs/next", Action.CLAIM, self.claim, CLAIM),
            ("GET", "/jobs", Action.LIST, self.list_jobs, LIST),
            ("GET", "/jobs/{uid}", Action.GET, self.get, GET),
            ("POST", "/jobs/{uid}", Action.UPDATE, self.update, UPDATE),
            ("DELETE", "/jobs/{uid}", Action.DELETE, self.delete, DELETE),
        ):
            yield Route(method, f"/api/v1{path}", action, answer, description=description)

    async def test(self, _request: Request, _variables: Variables) -> Reply:
        """Test: is the server alive?"""
        return Reply(200, b'{"status":"ok"}')

    async def create(self, request: Request, _variables: Variables) -> Reply:
        """CreateJob."""
        caller = self._caller(request, Action.CREATE)
        body = await _parsed(read_create, await self._bodies.read(request))
        content = bytes(body.content)
        draft = Draft(content, body.priority, body.valid_for * 1000)
        created = await self._engine.submit(Create(caller.queue, (draft,)))
        return Reply(201, job_json(created.jobs[0], content))

    async def claim(self, request: Request, _variables: Variables) -> Reply:
        """GetNextJob."""
        caller = self._caller(request, Action.CLAIM)
        jobs = await self._engine.submit(Claim(caller.queue, caller.service))
        return await self._show(200, jobs[0]) if jobs else Reply(NO_CONTENT)

    async def list_jobs(self, request: Request, _variables: Variables) -> Reply:
        """GetAllJobs."""
        caller = self._caller(request, Action.LIST)
        return await list_jobs(self._engine, _selection(request, caller.queue))

    async def get(self, request: Request, variables: Variables) -> Reply:
        """One job, as it is now."""
        caller = self._caller(request, Action.GET)
        return await self._show(200, await self._engine.job(caller.queue, variables["uid"]))

    async def update(self, request: Request, variables: Variables) -> Reply:
        """UpdateJob."""
        caller = self._caller(request, Action.UPDATE)
        body = await _parsed(read_update, await self._bodies.read(request))
        command = Update(
            queue=caller.queue,
            uid=variables["uid"],
            caller=caller.service,
            may_write=Right.WRITE in caller.rights,
            state=None if body.status is UNSET else _STATUSES[body.status],
            content=None if body.content is UNSET else bytes(body.content),
            expires=None if body.timeout_time is UNSET else body.timeout_time * 1000,
            priority=None if body.priority is UNSET else body.priority,
        )
        return await self._show(200, await self._engine.submit(command))

    async def delete(self, request: Request, variables: Variables) -> Reply:
        """Remove a job, whatever its state."""
        caller = self._caller(request, Action.DELETE)
        delete = Control(caller.queue, (variables["uid"],), Act.DELETE)
        only(await self._engine.submit(delete))
        return Reply(NO_CONTENT)

    def _caller(self, request: Request, action: Action) -> Caller:
        """Raises HeaderMissing, DuplicateHeader, NotFound, Forbidden."""
        service = who_asks(request)
        queue = only_header(request, "X-Queue")
        rights = self._access.check(service, action, queue, known=DOCUMENTED_RIGHTS)
        return Caller(service, queue, rights)

    async def _show(self, status: int, job: Job) -> Reply:
        content = job.content if isinstance(job.content, bytes) else await self._engine.content(job.content)
        return Reply(status, job_json(job, content))


async def _parsed(parse: Callable[[bytes], BodyT], body: bytes) -> BodyT:
    """What a body holds. A long one is looked at on a thread: the worst of a mebibyte take half a second."""
    return parse(body) if len(body) <= LONG_BYTES else await asyncio.to_thread(parse, body)


def _selection(request: Request, queue: str) -> Selection:
    """Raises ValidationFailed."""
    state = request.headers.get("X-Status-Filter")
    if state is not None and state not in _STATUSES:
        detail = f"must be one of {', '.join(_STATUSES)}"
        raise ValidationFailed(f"X-Status-Filter {detail}", errors=(Problem("X-Status-Filter", detail),))
    limit = request.query.get("limit")
    if limit is not None and not (limit.isascii() and limit.isdigit() and int(limit[:10]) > 0):
        detail = "must be a whole number from 1 on"
        raise ValidationFailed(f"limit {detail}", errors=(Problem("limit", detail),))
    return Selection(
        queue=queue,
        state=None if state is None else _STATUSES[state],
        most=None if limit is None else int(limit[:10]),
        after=request.query.get("after"),
    )
