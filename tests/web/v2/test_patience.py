"""Who waits is sent away when its client goes or the server stops, and what it waited for is given up."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from jobengine.errors import Unavailable
from jobengine.web.patience import Patience
from jobengine.web.request import Request
from tests.support.brokers import asked


class Waited:
    """Something that never comes; knows whether anybody waits for it still."""

    def __init__(self) -> None:
        self.given_up = False

    async def come(self) -> None:
        """Never."""
        try:
            await asyncio.Event().wait()
        finally:
            self.given_up = True


def request() -> Any:
    return SimpleNamespace(on_gone=None, transport=object())


def wait(patience: Patience, client: Any, waited: Waited) -> Any:
    return asked(patience.wait(cast(Request, client), waited.come()))


async def answer() -> int:
    return 7


async def test_an_answer_that_comes_is_the_answer() -> None:
    client = request()
    assert await Patience().wait(client, answer()) == 7
    assert client.on_gone is None


async def test_a_client_that_goes_waits_no_more() -> None:
    client, waited = request(), Waited()
    asking = await wait(Patience(), client, waited)
    client.transport = None
    client.on_gone()
    with pytest.raises(ConnectionError):
        await asking
    assert waited.given_up


async def test_a_server_that_stops_sends_all_away_and_lets_nobody_in() -> None:
    patience = Patience()
    waiting = [Waited() for _ in range(3)]
    asking = [await wait(patience, request(), waited) for waited in waiting]
    patience.cut()
    for asked_one in (*asking, await wait(patience, request(), Waited())):
        with pytest.raises(Unavailable):
            await asked_one
    assert all(waited.given_up for waited in waiting)


async def test_a_client_may_go_while_the_server_stops() -> None:
    patience, client, waited = Patience(), request(), Waited()
    asking = await wait(patience, client, waited)
    on_gone = client.on_gone
    patience.cut()
    await asyncio.sleep(0)
    on_gone()
    with pytest.raises(Unavailable):
        await asking
