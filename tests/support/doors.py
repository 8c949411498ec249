"""A door of API v2 over an engine, without sockets between: a test decides what happens in which order."""

from types import SimpleNamespace
from typing import Any

from multidict import CIMultiDict

from jobengine.access import Access, QueueRights
from jobengine.web.body import BodyReader
from jobengine.web.patience import Patience
from jobengine.web.v2.broker import Broker
from jobengine.web.v2.queues import ConfiguredQueues
from tests.support.brokers import Broker as RealBroker

READERS = frozenset({"reader"})
ADMINS = frozenset({"ops"})


def broker_of(real: RealBroker) -> Broker:
    """What the doors are made with. The queue is `mail`; `reader` works with it, `ops` administers it."""
    access = Access()
    access.configure({"mail": QueueRights(READERS, READERS)}, ADMINS)
    bodies = BodyReader(most_bytes=1000, seconds=1)
    return Broker(real.engine, access, bodies, Patience(), ConfiguredQueues())


def request(name: str, body: bytes) -> Any:
    """What such a door reads of a request; without a transport, its client is gone."""
    content = SimpleNamespace(is_eof=lambda: True, read_nowait=lambda: body)
    headers = CIMultiDict({"X-Name": name})
    return SimpleNamespace(
        headers=headers, content=content, transport=object(), on_gone=None, certified_service=None
    )
