"""Queues: what they hold, what they are set to, and what administrators do with them."""

from typing import Any, Final

import msgspec

from jobengine.access import Action, QueueRights, Right
from jobengine.engine.interface import QueueStatus
from jobengine.errors import Forbidden, NotFound
from jobengine.model.backoff import ErrorRule
from jobengine.model.commands import Steer
from jobengine.model.queue import Queue
from jobengine.web.caller import who_asks
from jobengine.web.reply import NO_CONTENT, Reply
from jobengine.web.request import Request
from jobengine.web.routes import Variables
from jobengine.web.v2.answers import QueuesView, QueueView
from jobengine.web.v2.broker import Broker, Caller
from jobengine.web.v2.controlling import nothing_form
from jobengine.web.v2.decoding import decoder, read_body, wrong
from jobengine.web.v2.durations import in_seconds
from jobengine.web.v2.job import backoff_view

MINUTE_MS: Final = 60_000
_NO_VALUES: Final[tuple[object, ...]] = (None, 0, {})  # no limit, no rule, no other queue, not paused
settings_form: Final = decoder(dict[str, Any])


class Administering:
    """GET /queues, and all that is asked of a whole queue."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def list_queues(self, request: Request, _variables: Variables) -> Reply:
        """Those on which the caller has a right."""
        service = who_asks(request)
        mine = self._broker.access.queues(service)
        # One that is being dropped may be gone before the rights on it are.
        there = {status.name: status for status in self._broker.engine.status()}
        views = [self._view(service, there[name]) for name in sorted(there.keys() & mine)]
        return Reply(200, msgspec.json.encode(QueuesView(views)))

    async def get(self, request: Request, variables: Variables) -> Reply:
        """One queue."""
        return self._shown(self._broker.caller(request, variables, Action.LOOK))

    async def put(self, request: Request, variables: Variables) -> Reply:
        """Make a queue, or change it."""
        caller = self._broker.caller(request, variables, Action.CONFIGURE)
        settings = await read_body(await self._broker.bodies.read(request), settings_form)
        self._check_dead_letter(caller, settings.get("dead_letter"))
        is_new = await self._broker.queues.put(caller.queue, settings)
        return self._shown(caller, 201 if is_new else 200)

    async def drop(self, request: Request, variables: Variables) -> Reply:
        """Drop a queue with its jobs."""
        caller = self._broker.caller(request, variables, Action.CONFIGURE)
        await self._broker.queues.drop(caller.queue)
        return Reply(NO_CONTENT)

    async def pause(self, request: Request, variables: Variables) -> Reply:
        """Hand out none of its jobs."""
        return await self._steer(request, variables, is_paused=True)

    async def resume(self, request: Request, variables: Variables) -> Reply:
        """Hand out its jobs again, and take new ones."""
        return await self._steer(request, variables, is_paused=False, is_draining=False)

    async def drain(self, request: Request, variables: Variables) -> Reply:
        """Take no more jobs."""
        return await self._steer(request, variables, is_draining=True)

    async def _steer(self, request: Request, variables: Variables, **wanted: bool) -> Reply:
        caller = self._broker.caller(request, variables, Action.STEER)
        await read_body(await self._broker.bodies.read(request), nothing_form)
        await self._broker.engine.submit(Steer(caller.queue, **wanted))
        return self._shown(caller)

    def _check_dead_letter(self, caller: Caller, target: object) -> None:
        """Who may administer one queue only fills no other one by it. Raises ValidationFailed."""
        if not isinstance(target, str) or target == self._dead_letter(caller.queue):
            return
        try:
            self._broker.access.check(caller.service, Action.BURY, target)
        except (NotFound, Forbidden):
            detail = "there is no such queue, or you may neither write to it nor administer it"
            raise wrong("/dead_letter", detail) from None

    def _dead_letter(self, queue: str) -> str | None:
        """Where the dead letters of a queue go now."""
        try:
            return self._broker.engine.queue_status(queue).queue.dead_letter
        except NotFound:
            return None  # it is to be made

    def _shown(self, caller: Caller, status: int = 200) -> Reply:
        """Raises NotFound."""
        queue = self._broker.engine.queue_status(caller.queue)
        return Reply(status, msgspec.json.encode(self._view(caller.service, queue)))

    def _view(self, service: str, status: QueueStatus) -> QueueView:
        access = self._broker.access
        is_admin = Right.ADMIN in access.rights(service, status.name)
        return _view(status, given=access.given(status.name) if is_admin else None)


def _view(status: QueueStatus, *, given: QueueRights | None) -> QueueView:
    queue = status.queue
    return QueueView(
        name=queue.name,
        jobs=status.jobs,
        held=status.held,
        queued_bytes=status.queued_bytes,
        oldest_queued_seconds=in_seconds(status.oldest_queued_ms),
        paused=not queue.hands_out,
        draining=queue.is_draining,
        origin="api" if queue.is_made_by_api else "configuration",
        settings={**_rights_view(given), **_settings_view(queue)},
    )


def _rights_view(given: QueueRights | None) -> dict[str, object]:
    """Who may do what: told to administrators only."""
    if given is None:
        return {}
    return {name: sorted(getattr(given, name)) for name in QueueRights.__struct_fields__}


def _settings_view(queue: Queue) -> dict[str, object]:
    """By the names that the configuration has for them; they may be put as they are."""
    settings = {
        "job_keep_minutes": queue.keep / MINUTE_MS,
        "job_timeout_minutes": queue.lease / MINUTE_MS,
        "max_attempts": queue.max_attempts,
        "backoff": backoff_view(queue.backoff),
        "errors": {rule.kind: _error_view(rule) for rule in queue.error_rules},
        "dead_letter": queue.dead_letter,
        "max_jobs": queue.max_jobs,
        "max_bytes": queue.max_bytes,
        "when_full": queue.when_full,
        "on_expire": "fail" if queue.keeps_expired else "delete",
        "paused": queue.is_paused,
    }
    return {name: value for name, value in settings.items() if value not in _NO_VALUES}


def _error_view(rule: ErrorRule) -> object:
    return "fail" if rule.backoff is None else backoff_view(rule.backoff)
