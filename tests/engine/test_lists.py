"""A list is one moment's picture, given in slices while others go on."""

from contextlib import aclosing

import pytest

from jobengine.errors import NotFound
from jobengine.model.states import State
from tests.support.brokers import MINUTE_MS, Broker
from tests.support.commands import create

MANY = 1_300  # more than two slices


async def filled(broker: Broker) -> list[str]:
    """The uids of a long list, in its order."""
    await broker.configure()
    creates = (create("mail", b"{}", 1 + number % 100, MINUTE_MS) for number in range(MANY))
    jobs = await broker.submit_all(creates)
    return [job.uid for job in sorted(jobs, key=lambda job: -job.priority)]


async def test_it_holds_every_job_at_its_true_position() -> None:
    async with Broker() as broker:
        expected = await filled(broker)
        seen = {}
        async with aclosing(broker.engine.slices("mail")) as slices:
            async for some in slices:
                seen |= {some.position + place: job.uid for place, job in enumerate(some.jobs)}
        assert seen == dict(enumerate(expected))


async def test_what_changes_between_its_slices_does_not_show_in_it() -> None:
    async with Broker() as broker:
        expected = await filled(broker)
        seen = []
        async with aclosing(broker.engine.slices("mail")) as slices:
            async for some in slices:
                seen += [(job.uid, job.state) for job in some.jobs]
                await broker.create(priority=100), await broker.create(priority=1)
                for _ in range(700):
                    await broker.claim()
        assert seen == [(uid, State.QUEUED) for uid in expected]


async def test_it_begins_behind_any_job_and_knows_its_position() -> None:
    async with Broker() as broker:
        expected = await filled(broker)
        for place in (0, 777, MANY - 2):
            first = await anext(broker.engine.slices("mail", after=expected[place]))
            assert (first.position, first.jobs[0].uid) == (place + 1, expected[place + 1])


async def test_behind_the_last_job_there_is_nothing() -> None:
    async with Broker() as broker:
        expected = await filled(broker)
        assert [some async for some in broker.engine.slices("mail", after=expected[-1])] == []


async def test_behind_a_job_that_is_not_there_is_not_found() -> None:
    async with Broker() as broker:
        await broker.configure()
        with pytest.raises(NotFound):
            await anext(broker.engine.slices("mail", after="no-uid"))


async def test_a_list_that_nobody_reads_to_the_end_is_told_of_nothing_more() -> None:
    async with Broker() as broker:
        await filled(broker)
        async with aclosing(broker.engine.slices("mail")) as slices:
            await anext(slices)
        assert broker.ledger.contents("mail")._pictures == []


async def test_queues_in_figures() -> None:
    async with Broker() as broker:
        await broker.configure()
        (status,) = broker.engine.status()
        assert (status.name, status.oldest_queued_ms) == ("mail", 0)
        assert set(status.jobs.values()) == {0}
        for state in (State.COMPLETE, State.FAILED):
            await broker.update(await broker.create(), state=state)
        await broker.create(priority=1)
        broker.time.pass_ms(500)
        await broker.create(priority=99), await broker.create(priority=99)
        await broker.claim()
        broker.time.pass_ms(500)
        (status,) = broker.engine.status()
        assert status.oldest_queued_ms == 1_000
        assert [status.jobs[state] for state in State if state in status.jobs] == [2, 1, 1, 1]
