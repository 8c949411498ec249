"""One job: as it is, as it has ended, and why it is not being done."""

from typing import Final

import msgspec
from msgspec import Struct, field

from jobengine.access import Action
from jobengine.model.job import Job
from jobengine.model.obstacles import Cause, Obstacle
from jobengine.web.reply import Reply
from jobengine.web.request import Request
from jobengine.web.routes import Variables
from jobengine.web.v2.answers import ObstacleView, WhyView
from jobengine.web.v2.broker import Broker
from jobengine.web.v2.decoding import read_query
from jobengine.web.v2.durations import Wait, time_text
from jobengine.web.v2.job import shown
from jobengine.web.v2.preferences import etag


class GetQuery(Struct, frozen=True):
    """How long to wait for the job's end."""

    wait: Wait = field(default_factory=lambda: Wait(0))


class Looking:
    """GET /queues/{queue}/jobs/{uid}, and …/why."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def get(self, request: Request, variables: Variables) -> Reply:
        """The job as it is now, or when it has ended."""
        broker = self._broker
        caller = broker.caller(request, variables, Action.GET)
        wait = read_query(request, GetQuery).wait
        uid = variables["uid"].lower()
        if wait:
            ending = broker.engine.ended(caller.queue, uid, wait=wait.seconds)
            job = await broker.patience.wait(request, ending)
        else:
            job = await broker.engine.job(caller.queue, uid)
        return Reply(200, await shown(broker.engine, job), headers=etag(job))

    async def why(self, request: Request, variables: Variables) -> Reply:
        """What keeps the job from being handed out."""
        caller = self._broker.caller(request, variables, Action.GET)
        job, found = await self._broker.engine.why(caller.queue, variables["uid"].lower())
        return Reply(200, msgspec.json.encode(_why(job, found)))


_TEXTS: Final = {
    Cause.ENDED: "it has ended: {by}",
    Cause.HELD: "{by} has it in progress until {until}",
    Cause.STOPPING: "it is to stop, and its holder has not said so yet; at {until} its lease is over",
    Cause.LEFT: "it was stopped, and a worker is to end what it had begun; to stop it again ends it at once",
    Cause.HALTED: "it is halted: resume it",
    Cause.QUEUE_PAUSED: "its queue is paused by {by}",
    Cause.NOT_BEFORE: "it is not to be handed out before {until}",
    Cause.BEHIND_OTHERS: "{jobs} of its queue stand before it",
    Cause.NO_CLAIMER: "nothing keeps it: it is the next one, and nobody claims",
}


def _why(job: Job, found: tuple[Obstacle, ...]) -> WhyView:
    why = [_view(obstacle) for obstacle in found]
    return WhyView(job.uid, job.state, why, "; ".join(each.text for each in why))


def _view(obstacle: Obstacle) -> ObstacleView:
    until = None if obstacle.until is None else time_text(obstacle.until).decode()
    text = _TEXTS[obstacle.cause].format(by=obstacle.by, until=until, jobs=obstacle.jobs)
    return ObstacleView(obstacle.cause, text, until, obstacle.jobs, obstacle.by)
