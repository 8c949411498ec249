"""What changes between the look at many jobs and what is done to them."""

import asyncio
import json
from typing import Final, cast

from jobengine.model.commands import Create, Draft
from jobengine.web.request import Request
from jobengine.web.v2.slices import Slices
from tests.support.brokers import Broker
from tests.support.doors import broker_of, request

MORE_THAN_A_TURN: Final = 300  # jobs: while one looks at so many, others have their turn


async def test_a_purge_leaves_alone_what_was_claimed_meanwhile() -> None:
    async with Broker() as broker:
        await broker.configure()
        drafts = tuple(Draft(b"1", 50, None) for _ in range(MORE_THAN_A_TURN))
        await broker.engine.submit(Create("mail", drafts))
        purge = Slices(broker_of(broker)).purge
        client = cast(Request, request("ops", b"{}"))
        reply, claimed = await asyncio.gather(purge(client, {"queue": "mail"}), broker.claim())
        told = json.loads(reply.body)
        assert claimed is not None
        assert [job.uid for job in await broker.jobs()] == [claimed.uid]
        assert (told["changed"], told["refused"]) == (MORE_THAN_A_TURN - 1, 1)
        assert [each["code"] for each in told["problems"]] == ["version_changed"]
