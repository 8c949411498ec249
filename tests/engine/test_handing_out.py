"""Many claimers, and each job for one of them."""

import asyncio
from collections import Counter

from jobengine.model.job import Job
from tests.support.brokers import MINUTE_MS, Broker
from tests.support.commands import create

CLAIMERS = 64
JOBS = 10_000


async def test_sixty_four_claimers_get_each_of_ten_thousand_jobs_once() -> None:
    async with Broker() as broker:
        await broker.configure()
        creates = [create("mail", b"{}", 1 + number % 100, MINUTE_MS) for number in range(JOBS)]
        created = [each.jobs[0] for each in await asyncio.gather(*map(broker.engine.submit, creates))]
        handed: list[Job] = []

        async def claim_all(name: str) -> None:
            while (job := await broker.claim(name)) is not None:
                assert job.claimer == name
                handed.append(job)

        await asyncio.gather(*(claim_all(f"claimer{number}") for number in range(CLAIMERS)))
        assert Counter(job.uid for job in handed) == Counter(job.uid for job in created)
        assert {job.uid: job.claimer for job in await broker.jobs()} == {
            job.uid: job.claimer for job in handed
        }


async def test_claims_and_creates_at_once_hand_out_nothing_twice() -> None:
    async with Broker() as broker:
        await broker.configure()
        asking = [broker.create() if number % 2 else broker.claim() for number in range(2_000)]
        answers = await asyncio.gather(*asking)
        claimed = [job.uid for job in answers[::2] if job is not None]
        assert len(set(claimed)) == len(claimed) > 0
        assert set(claimed) <= {job.uid for job in answers[1::2]}


async def test_expired_jobs_in_front_of_a_claim_let_others_have_their_turn() -> None:
    async with Broker() as broker:
        await broker.configure()
        creates = [create("mail", b"{}", 100, 1) for _ in range(30_000)]
        await asyncio.gather(*map(broker.engine.submit, creates))
        alive = await broker.create(priority=1)
        broker.time.pass_ms(1)
        turns = 0

        async def count_turns() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        counting = asyncio.create_task(count_turns())
        job = await broker.claim()
        counting.cancel()
        assert job is not None
        assert job.uid == alive.uid
        assert turns >= 3  # the step over the expired was made in slices
