"""What is done to many jobs: slice by slice, one in each request."""

from itertools import islice
from typing import Final

import msgspec
from msgspec import Struct

from jobengine.access import Action
from jobengine.errors import Forbidden, JobEngineError, NotFound
from jobengine.model.commands import Act, Control, Outcome
from jobengine.model.job import Job
from jobengine.model.states import State
from jobengine.web.caller import who_asks
from jobengine.web.problems import V2_STATUSES, document
from jobengine.web.reply import Reply
from jobengine.web.request import Request
from jobengine.web.routes import Variables
from jobengine.web.v2.answers import BulkView, ChangedView, RefusedView
from jobengine.web.v2.broker import Broker
from jobengine.web.v2.decoding import decoder, read_body
from jobengine.web.v2.selecting import Selection
from jobengine.web.v2.values import QueueName, StateName, StateNames

CHANGED_MOST: Final = 500
MATCHED_MOST: Final = 10_000  # of a dry run
PROBLEMS_MOST: Final = 10
_DEAD: Final = (State.QUEUED, State.FAILED)
NEED_TARGET: Final = frozenset({Act.MOVE})
TAKE_TARGET: Final = frozenset({Act.MOVE, Act.CLONE, Act.REDRIVE})


class BulkBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Which jobs of a queue, and what to do to each."""

    queue: QueueName
    action: Act
    filter: str | None = None
    state: StateNames | None = None  # null: all
    to: QueueName | None = None
    dry_run: bool = False
    cursor: str | None = None

    def __post_init__(self) -> None:
        """Raises ValueError."""
        if self.action in NEED_TARGET and self.to is None:
            raise ValueError("moves jobs, and does not say to which queue")
        if self.to is not None and self.action not in TAKE_TARGET:
            raise ValueError(f"names a queue to go to, which {self.action} does not do")


class PurgeBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Jobs in which states are to go."""

    state: StateNames = ("queued",)
    cursor: str | None = None


class RedriveBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Where dead letters are to go; without: where each died."""

    to: QueueName | None = None
    cursor: str | None = None


bulk_form: Final = decoder(BulkBody)
purge_form: Final = decoder(PurgeBody)
redrive_form: Final = decoder(RedriveBody)


class Doing(Struct, frozen=True):
    """What is done to each job of a slice, and for whom."""

    service: str
    needed: Action  # that the service must be allowed in a queue to which jobs go
    act: Act
    target: str | None = None


class Slices:
    """POST /jobs/bulk, /queues/{queue}/purge and /queues/{queue}/redrive."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def bulk(self, request: Request, _variables: Variables) -> Reply:
        """Do something to the next jobs that are meant."""
        service = who_asks(request)
        body: BulkBody = await read_body(await self._broker.bodies.read(request), bulk_form)
        self._broker.access.check(service, Action.CONTROL, body.queue)
        if body.to is not None:
            self._broker.access.check(service, Action.CREATE, body.to)
        selection = Selection(body.queue, _states(body.state or ()), body.filter, body.cursor)
        if body.dry_run:
            selected = await selection.page(self._broker.engine, MATCHED_MOST, only_older=True)
            told = BulkView(len(selected.page.jobs), 0, 0, [], selection.cursor_behind(selected))
        else:
            told = await self._do(Doing(service, Action.CREATE, body.action, body.to), selection)
        return Reply(200, msgspec.json.encode(told))

    async def purge(self, request: Request, variables: Variables) -> Reply:
        """Remove the next jobs of a queue that are in these states."""
        caller = self._broker.caller(request, variables, Action.PURGE)
        body: PurgeBody = await read_body(await self._broker.bodies.read(request), purge_form)
        selection = Selection(caller.queue, _states(body.state), None, body.cursor)
        return _changed(await self._do(Doing(caller.service, Action.PURGE, Act.DELETE), selection))

    async def redrive(self, request: Request, variables: Variables) -> Reply:
        """Send the next dead letters of a queue back to where they died."""
        caller = self._broker.caller(request, variables, Action.REDRIVE)
        body: RedriveBody = await read_body(await self._broker.bodies.read(request), redrive_form)
        if body.to is not None:
            self._broker.access.check(caller.service, Action.REDRIVE, body.to)
        selection = Selection(caller.queue, _DEAD, None, body.cursor)
        doing = Doing(caller.service, Action.REDRIVE, Act.REDRIVE, body.to)
        return _changed(await self._do(doing, selection))

    async def _do(self, doing: Doing, selection: Selection) -> BulkView:
        selected = await selection.page(self._broker.engine, CHANGED_MOST, only_older=True)
        refusals = self._strangers(doing, selected.page.jobs)
        jobs = [job for job in selected.page.jobs if job.uid not in refusals]
        # Whatever changed while the page was looked for may not be meant any more.
        uids, versions = tuple([job.uid for job in jobs]), tuple([job.updated for job in jobs])
        control = Control(selection.queue, uids, doing.act, doing.target, versions)
        outcomes: tuple[Outcome, ...] = await self._broker.engine.submit(control)
        for uid, outcome in zip(uids, outcomes, strict=True):
            if isinstance(outcome, JobEngineError):
                refusals[uid] = outcome
        return BulkView(
            matched=len(selected.page.jobs),
            changed=len(selected.page.jobs) - len(refusals),
            refused=len(refusals),
            problems=[_refused(uid, refusal) for uid, refusal in islice(refusals.items(), PROBLEMS_MOST)],
            next_cursor=selection.cursor_behind(selected),
        )

    def _strangers(self, doing: Doing, jobs: list[Job]) -> dict[str, JobEngineError]:
        """The dead letters that would go to queues where the caller may put nothing; by uid, and why."""
        if doing.act is not Act.REDRIVE or doing.target is not None:
            return {}
        homes = {job.more.died_in for job in jobs}
        closed = {home: refusal for home in homes if home and (refusal := self._closed(doing, home))}
        return {job.uid: closed[job.more.died_in] for job in jobs if job.more.died_in in closed}

    def _closed(self, doing: Doing, queue: str) -> JobEngineError | None:
        """Why the caller may put no jobs into this queue; None when it may."""
        try:
            self._broker.access.check(doing.service, doing.needed, queue)
        except (NotFound, Forbidden) as refusal:
            return refusal
        return None


def _states(names: tuple[StateName, ...]) -> tuple[State, ...]:
    return tuple(dict.fromkeys(map(State, names)))


def _refused(uid: str, refusal: JobEngineError) -> RefusedView:
    told = document(refusal, V2_STATUSES)
    return RefusedView(uid, told["status"], told["code"], told["detail"])


def _changed(told: BulkView) -> Reply:
    return Reply(
        200, msgspec.json.encode(ChangedView(told.changed, told.refused, told.problems, told.next_cursor))
    )
