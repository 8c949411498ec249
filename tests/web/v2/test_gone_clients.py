"""A client that goes while its claim is on its way to the disk: nobody would ever do the job."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from multidict import CIMultiDict

from jobengine.access import Access, QueueRights
from jobengine.model.commands import Claim
from jobengine.model.job import Job
from jobengine.model.states import State
from jobengine.web.body import BodyReader
from jobengine.web.patience import Patience
from jobengine.web.request import Request
from jobengine.web.v2.broker import Broker
from jobengine.web.v2.claiming import Claiming
from jobengine.web.v2.queues import ConfiguredQueues
from tests.support.brokers import Broker as RealBroker
from tests.support.brokers import asked

EVERYBODY = frozenset({"reader"})


def door(broker: RealBroker) -> Claiming:
    access = Access()
    access.configure({"mail": QueueRights(EVERYBODY, EVERYBODY)}, ())
    bodies = BodyReader(most_bytes=1000, seconds=1)
    return Claiming(Broker(broker.engine, access, bodies, Patience(), ConfiguredQueues()))


def request(body: bytes) -> Any:
    content = SimpleNamespace(is_eof=lambda: True, read_nowait=lambda: body)
    headers = CIMultiDict({"X-Name": "reader"})
    return SimpleNamespace(
        headers=headers, content=content, transport=object(), on_gone=None, certified_service=None
    )


async def queued_again(broker: RealBroker, made: list[Job]) -> bool:
    """Whether these jobs are as they were made, and may be claimed."""
    left = [(job.uid, job.state, job.attempt) for job in await broker.jobs()]
    claimed = await broker.engine.submit(Claim("mail", "reader", len(made)))
    return left == [(job.uid, State.QUEUED, 0) for job in made] and len(claimed) == len(made)


async def test_what_it_was_handed_at_once_is_queued_again_and_was_no_attempt() -> None:
    async with RealBroker() as broker:
        await broker.configure()
        made = [await broker.create(), await broker.create()]
        broker.disk.hold_syncs()
        client = request(b'{"max":2}')
        claiming = await asked(door(broker).claim(cast(Request, client), {"queue": "mail"}))
        client.transport = None
        broker.disk.let_syncs_go()
        await claiming
        assert await queued_again(broker, made)


async def test_what_it_was_handed_while_it_waited_is_queued_again_and_was_no_attempt() -> None:
    async with RealBroker() as broker:
        await broker.configure()
        client = request(b'{"max":2,"wait":60}')
        claiming = await asked(door(broker).claim(cast(Request, client), {"queue": "mail"}))
        broker.disk.hold_syncs()
        creating = await asked(broker.create())
        client.transport = None
        client.on_gone()
        broker.disk.let_syncs_go()
        with pytest.raises(ConnectionError):
            await claiming
        assert await queued_again(broker, [await creating])
