"""What time has done is done before anybody is answered, whether the sweeper came by or not."""

import pytest
from msgspec.structs import replace

from jobengine.errors import NotFound
from jobengine.model.commands import Configure, Sweep, Swept
from jobengine.model.queue import Queue
from jobengine.model.states import State
from tests.support.brokers import MAIL, MINUTE_MS, Broker
from tests.support.commands import create

LETTERS = replace(MAIL, name="letters")
MANY = 450  # more than one sweep of the engine takes


async def test_an_expired_job_is_neither_listed_nor_found_although_nobody_swept() -> None:
    async with Broker() as broker:
        await broker.configure()
        job, alive = await broker.create(valid_for=1_000), await broker.create(valid_for=2_000)
        broker.time.pass_ms(1_000)
        with pytest.raises(NotFound):
            await broker.engine.job("mail", job.uid)
        assert await broker.jobs() == [alive]


async def test_a_list_sweeps_all_of_its_queue_and_none_of_the_others() -> None:
    async with Broker() as broker:
        await broker.configure(LETTERS, MAIL)
        for queue in ("letters", "mail"):
            await broker.submit_all(create(queue, b"{}", 50, 1_000) for _ in range(MANY))
        broker.time.pass_ms(1_000)
        assert await broker.jobs() == []
        assert broker.ledger.count("letters") == MANY
        assert await broker.engine.submit(Sweep(10 * MANY)) == Swept(expired=MANY)


async def test_a_claim_gets_what_was_given_back_however_much_is_due_elsewhere() -> None:
    retrying = replace(MAIL, max_attempts=2)
    async with Broker() as broker:
        await broker.configure(LETTERS, retrying)
        await broker.submit_all(create("letters", b"{}", 50, 1_000) for _ in range(MANY))
        job = await broker.create(valid_for=60 * MINUTE_MS)
        await broker.claim("first")
        broker.time.pass_ms(MAIL.lease)
        claimed = await broker.claim("second")
        assert claimed is not None
        assert (claimed.uid, claimed.attempt) == (job.uid, 2)


async def test_a_claim_gets_the_most_urgent_of_very_many_that_were_given_back() -> None:
    async with Broker() as broker:
        await broker.configure(replace(MAIL, max_attempts=2))
        await broker.submit_all(create("mail", b"{}", 50, 60 * MINUTE_MS) for _ in range(MANY))
        for _ in range(MANY):
            await broker.claim("first")
        broker.time.pass_ms(1)
        urgent = await broker.create(priority=100, valid_for=60 * MINUTE_MS)
        await broker.claim("first")
        broker.time.pass_ms(MAIL.lease)
        claimed = await broker.claim("second")
        assert claimed is not None
        assert claimed.uid == urgent.uid


@pytest.mark.parametrize("changed", [{"keep": 100 * MAIL.keep}, {"max_attempts": 5}])
async def test_new_settings_do_not_bring_back_what_was_over_under_the_old(changed: dict[str, int]) -> None:
    async with Broker() as broker:
        await broker.configure()
        ended = await broker.update(await broker.create(), state=State.COMPLETE)
        broker.time.pass_ms(MAIL.keep - MAIL.lease)
        claimed = await broker.update(await broker.create(valid_for=10**9), state=State.INPROGRESS)
        broker.time.pass_ms(MAIL.lease + 1)
        await broker.configure(replace(MAIL, **changed))
        with pytest.raises(NotFound):
            await broker.engine.job("mail", ended.uid)
        assert (await broker.engine.job("mail", claimed.uid)).state is State.FAILED


async def test_a_restart_that_took_longer_than_all_timeouts_is_as_if_there_had_been_none() -> None:
    seen = []
    for restarts in (False, True):
        broker = Broker().start()
        await broker.configure(replace(MAIL, max_attempts=2), LETTERS)
        for queue in ("mail", "letters"):
            await broker.submit_all(create(queue, b"{}", 50, 40 * MINUTE_MS) for _ in range(3))
            await broker.claim(queue=queue)
        if restarts:
            left = broker.disk.disk.kill()
            await broker.engine.stop()
            broker.time.pass_ms(30 * MINUTE_MS)
            broker = Broker(left, time=broker.time).start()
        else:
            broker.time.pass_ms(30 * MINUTE_MS)
        jobs = [job for queue in ("mail", "letters") for job in await broker.jobs(queue)]
        seen.append([(job.state, job.order, job.updated, job.attempt, job.claimer) for job in jobs])
        await broker.engine.stop()
    assert seen[0] == seen[1]


async def test_a_wall_clock_set_back_while_the_broker_was_down_brings_nothing_back() -> None:
    async with Broker() as broker:
        await broker.configure()
        short = await broker.create(valid_for=1_000)
        broker.time.pass_ms(1_000)
        await broker.create()
        left, time = broker.disk.disk.kill(), broker.time
    time.wall_ms -= 10**9
    async with Broker(left, time=time) as again:
        assert short.uid not in [job.uid for job in await again.jobs()]
        assert (await again.create()).created >= short.expires


async def test_the_queues_of_a_configure_are_those_and_no_others() -> None:
    async with Broker() as broker:
        await broker.configure(MAIL, LETTERS)
        await broker.create()
        configured = await broker.engine.submit(Configure((LETTERS, Queue("new", keep=1, lease=1))))
        assert (configured.added, configured.dropped) == (("new",), {"mail": 1})
        with pytest.raises(NotFound):
            await broker.jobs("mail")
