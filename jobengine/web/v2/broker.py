"""What stands behind all doors of API v2."""

from msgspec import Struct

from jobengine.access import Access, Action
from jobengine.engine.interface import Engine
from jobengine.web.body import BodyReader
from jobengine.web.caller import who_asks
from jobengine.web.patience import Patience
from jobengine.web.request import Request
from jobengine.web.routes import Variables
from jobengine.web.v2.queues import Queues


class Caller(Struct, frozen=True, gc=False):
    """Who asks, and for which queue."""

    service: str
    queue: str


class Broker(Struct, frozen=True):
    """The jobs, who may do what with them, and how requests are read."""

    engine: Engine
    access: Access
    bodies: BodyReader
    patience: Patience
    queues: Queues

    def caller(self, request: Request, variables: Variables, action: Action) -> Caller:
        """Who asks, when they may. Raises HeaderMissing, DuplicateHeader, NotFound, Forbidden."""
        service = who_asks(request)
        queue = variables["queue"]
        self.access.check(service, action, queue)
        return Caller(service, queue)
