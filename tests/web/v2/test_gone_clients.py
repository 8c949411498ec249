"""A client that goes while its claim is on its way to the disk: nobody would ever do the job."""

from typing import cast

import pytest

from jobengine.model.blob import Blob
from jobengine.model.commands import Claim
from jobengine.model.job import Job
from jobengine.model.states import State
from jobengine.web.request import Request
from jobengine.web.v2.claiming import Claiming
from tests.support.brokers import Broker, asked
from tests.support.doors import broker_of, request


async def queued_again(broker: Broker, made: list[Job]) -> bool:
    """Whether these jobs are as they were made, and may be claimed."""
    left = [(job.uid, job.state, job.attempt) for job in await broker.jobs()]
    claimed = await broker.engine.submit(Claim("mail", "reader", len(made)))
    return left == [(job.uid, State.QUEUED, 0) for job in made] and len(claimed) == len(made)


async def test_what_it_was_handed_at_once_is_queued_again_and_was_no_attempt() -> None:
    async with Broker() as broker:
        await broker.configure()
        made = [await broker.create(), await broker.create()]
        broker.disk.hold_syncs()
        client = request("reader", b'{"max":2}')
        claiming = await asked(Claiming(broker_of(broker)).claim(cast(Request, client), {"queue": "mail"}))
        client.transport = None
        broker.disk.let_syncs_go()
        await claiming
        assert await queued_again(broker, made)


async def test_what_it_was_handed_while_it_waited_is_queued_again_and_was_no_attempt() -> None:
    async with Broker() as broker:
        await broker.configure()
        client = request("reader", b'{"max":2,"wait":60}')
        claiming = await asked(Claiming(broker_of(broker)).claim(cast(Request, client), {"queue": "mail"}))
        broker.disk.hold_syncs()
        creating = await asked(broker.create())
        client.transport = None
        client.on_gone()
        broker.disk.let_syncs_go()
        with pytest.raises(ConnectionError):
            await claiming
        assert await queued_again(broker, [await creating])


async def test_who_goes_while_a_big_content_is_fetched_holds_nothing() -> None:
    async with Broker() as broker:
        await broker.configure()
        made = await broker.create(content=b'"%b"' % (b"x" * 20_000))
        assert isinstance(made.content, Blob)
        client = request("reader", b"{}")
        door = broker_of(broker)
        fetch = door.engine.content

        async def fetch_and_go(value: bytes | Blob) -> bytes:
            client.transport = None
            return await fetch(value)

        door.engine.content = fetch_and_go  # type: ignore[method-assign]
        await Claiming(door).claim(cast(Request, client), {"queue": "mail"})
        (left,) = await broker.jobs()
        assert (left.state, left.attempt) == (State.QUEUED, 0)
