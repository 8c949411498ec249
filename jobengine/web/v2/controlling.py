"""What a writer does to one job."""

from typing import Final

from msgspec import Struct

from jobengine.access import Action
from jobengine.model.commands import Act, Control, only
from jobengine.model.job import Job
from jobengine.web.reply import Reply
from jobengine.web.request import Request
from jobengine.web.routes import Variables
from jobengine.web.v2.broker import Broker, Caller
from jobengine.web.v2.decoding import decoder, read_body
from jobengine.web.v2.job import location, shown
from jobengine.web.v2.preferences import etag, expected_versions
from jobengine.web.v2.values import QueueName


class NothingBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing is to be said."""


class MoveBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Where to."""

    queue: QueueName


class CloneBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Where to; without: into its own queue."""

    queue: QueueName | None = None


nothing_form: Final = decoder(NothingBody)
move_form: Final = decoder(MoveBody)
clone_form: Final = decoder(CloneBody)


class Controlling:
    """POST /queues/{queue}/jobs/{uid}/stop, halt, resume, retry, move, clone."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def stop(self, request: Request, variables: Variables) -> Reply:
        """Let it end as failed: at once, or as soon as its holder hears of it."""
        return await self._plain(request, variables, Act.STOP)

    async def halt(self, request: Request, variables: Variables) -> Reply:
        """Hold it back."""
        return await self._plain(request, variables, Act.HALT)

    async def resume(self, request: Request, variables: Variables) -> Reply:
        """Hold it back no more."""
        return await self._plain(request, variables, Act.RESUME)

    async def retry(self, request: Request, variables: Variables) -> Reply:
        """Queue it again, or at once when it waits for its next attempt."""
        return await self._plain(request, variables, Act.RETRY)

    async def move(self, request: Request, variables: Variables) -> Reply:
        """Let another queue have it."""
        caller = self._broker.caller(request, variables, Action.CONTROL)
        body: MoveBody = await read_body(await self._broker.bodies.read(request), move_form)
        self._broker.access.check(caller.service, Action.CREATE, body.queue)
        return await self._do(request, variables, caller, Act.MOVE, body.queue)

    async def clone(self, request: Request, variables: Variables) -> Reply:
        """Make another one like it."""
        caller = self._broker.caller(request, variables, Action.CONTROL)
        body: CloneBody = await read_body(await self._broker.bodies.read(request), clone_form)
        if body.queue is not None:
            self._broker.access.check(caller.service, Action.CREATE, body.queue)
        return await self._do(request, variables, caller, Act.CLONE, body.queue)

    async def _plain(self, request: Request, variables: Variables, act: Act) -> Reply:
        caller = self._broker.caller(request, variables, Action.CONTROL)
        await read_body(await self._broker.bodies.read(request), nothing_form)
        return await self._do(request, variables, caller, act)

    async def _do(
        self, request: Request, variables: Variables, caller: Caller, act: Act, target: str | None = None
    ) -> Reply:
        uids = (variables["uid"].lower(),)
        command = Control(caller.queue, uids, act, target, expected_versions(request))
        job: Job = only(await self._broker.engine.submit(command))
        body = await shown(self._broker.engine, job)
        if act is Act.CLONE:
            return Reply(201, body, headers=location(job) + etag(job))
        return Reply(200, body, headers=etag(job))
