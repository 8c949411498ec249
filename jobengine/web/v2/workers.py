"""Who works on the queues."""

from datetime import UTC, datetime

import msgspec

from jobengine.access import Right
from jobengine.engine.workers import WorkerStatus
from jobengine.web.caller import who_asks
from jobengine.web.reply import Reply
from jobengine.web.request import Request
from jobengine.web.routes import Variables
from jobengine.web.v2.answers import WorkersView, WorkerView
from jobengine.web.v2.broker import Broker


class Working:
    """GET /workers."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def list_workers(self, request: Request, _variables: Variables) -> Reply:
        """Those on the queues of which the caller may read, or which it administers."""
        access, service = self._broker.access, who_asks(request)
        seen = [
            queue
            for queue in access.queues(service)
            if not access.rights(service, queue).isdisjoint({Right.READ, Right.ADMIN})
        ]
        workers = self._broker.engine.workers(frozenset(seen))
        return Reply(200, msgspec.json.encode(WorkersView([_view(each) for each in workers])))


def _view(worker: WorkerStatus) -> WorkerView:
    last_seen = datetime.fromtimestamp(worker.last_seen / 1000, UTC)
    return WorkerView(worker.name, worker.service, list(worker.queues), list(worker.jobs), last_seen)
