"""The wall clock is set back between two starts: time does not run back over what was sealed."""

import pytest

from jobengine.errors import NotFound
from tests.support.brokers import Broker


async def test_a_job_that_was_shown_as_expired_stays_so_although_the_clock_is_set_back() -> None:
    broker = Broker().start()
    await broker.configure()
    job = await broker.create(valid_for=1_000)
    broker.time.pass_ms(1_000)
    with pytest.raises(NotFound):
        await broker.engine.job("mail", job.uid)
    assert await broker.claim() is None
    await broker.engine.stop()
    broker.time.wall_ms -= 60_000
    async with Broker(broker.disk.disk.kill(), time=broker.time) as again:
        assert await again.claim() is None
        with pytest.raises(NotFound):
            await again.engine.job("mail", job.uid)
