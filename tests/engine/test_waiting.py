"""Callers who wait: for a job to claim, and for one to end."""

import asyncio
import contextlib
from typing import Any

import pytest
from msgspec.structs import replace

from jobengine.errors import Forbidden, NotFound, StorageFull, Unavailable
from jobengine.model.commands import (
    Act,
    Claim,
    ClaimAny,
    Complete,
    Control,
    Create,
    Draft,
    Fail,
    Options,
    Settle,
    Steer,
)
from jobengine.model.job import Job
from jobengine.model.states import State
from tests.support.brokers import MAIL, Broker, asked
from tests.support.commands import create, delete
from tests.support.ledgers import everything
from tests.support.loop_time import LoopTime

CLAIM = Claim("mail", "reader")
LETTERS = replace(MAIL, name="letters")


async def waiting(broker: Broker, command: Claim | ClaimAny = CLAIM, **named: Any) -> "asyncio.Task[Any]":
    """Somebody who waits for a job."""
    return await asked(broker.engine.claim(command, wait=60, **named))


async def gone(task: "asyncio.Task[Any]") -> None:
    """This caller goes away."""
    task.cancel()
    await over(task)


async def over(task: "asyncio.Task[Any]") -> None:
    """Until it was cancelled."""
    with contextlib.suppress(asyncio.CancelledError):
        await task


# --- for a job to claim ---


async def test_a_create_hands_its_job_out_in_the_same_frame() -> None:
    async with Broker() as broker:
        await broker.configure()
        claiming = await waiting(broker)
        frames = broker.engine.sequence()
        job = await broker.create()
        (claimed,) = await claiming
        assert (claimed.uid, claimed.state, claimed.attempt) == (job.uid, State.INPROGRESS, 1)
        assert broker.engine.sequence() == frames + 1
        assert broker.replayed().job("mail", job.uid) == claimed


async def test_who_waited_longest_gets_the_first_job() -> None:
    async with Broker() as broker:
        await broker.configure()
        claims = [await waiting(broker) for _ in range(3)]
        jobs = [await broker.create() for _ in range(3)]
        assert [(await claim)[0].uid for claim in claims] == [job.uid for job in jobs]


async def test_a_thousand_who_wait_and_a_thousand_creates_make_a_thousand_pairs() -> None:
    async with Broker() as broker:
        await broker.configure()
        claims = [asyncio.create_task(broker.engine.claim(CLAIM, wait=60)) for _ in range(1_000)]
        await asyncio.sleep(0)
        created = await asyncio.gather(*(broker.create() for _ in range(1_000)))
        claimed = [job for jobs in await asyncio.gather(*claims) for job in jobs]
        assert sorted(job.uid for job in claimed) == sorted(job.uid for job in created)
        assert everything(broker.replayed()) == everything(broker.ledger)


async def test_one_list_serves_many() -> None:
    async with Broker() as broker:
        await broker.configure()
        claims = [await waiting(broker, Claim("mail", "reader", most=2)) for _ in range(2)]
        await broker.engine.submit(Create("mail", (Draft(b"{}", 50, None),) * 3))
        assert [len(await claim) for claim in claims] == [2, 1]


async def test_whoever_waits_on_several_queues_takes_from_the_first_that_has_some_and_only_there() -> None:
    async with Broker() as broker:
        await broker.configure(MAIL, LETTERS)
        claiming = await waiting(broker, ClaimAny((("mail", 1), ("letters", 1)), "reader"))
        job = await broker.create(queue="letters")
        assert [each.uid for each in await claiming] == [job.uid]
        await broker.create()
        assert (await broker.jobs())[0].state is State.QUEUED


async def test_the_end_of_the_wait_gives_nothing() -> None:
    async with Broker() as broker:
        await broker.configure()
        time = LoopTime()
        claiming = await waiting(broker)
        await time.pass_seconds(59)
        assert not claiming.done()
        await time.pass_seconds(2)
        assert await claiming == ()
        job = await broker.create()
        assert await broker.engine.job("mail", job.uid) == job


async def test_who_goes_away_while_it_waits_is_handed_nothing() -> None:
    async with Broker() as broker:
        await broker.configure()
        first, second = await waiting(broker), await waiting(broker)
        await gone(first)
        job = await broker.create()
        assert (await second)[0].uid == job.uid


async def test_who_goes_away_at_the_hand_over_burns_no_attempt() -> None:
    async with Broker() as broker:
        await broker.configure()
        claiming = await waiting(broker)
        broker.disk.hold_syncs()
        creating = await asked(broker.create())
        claiming.cancel()
        broker.disk.let_syncs_go()
        await over(claiming)
        job = await broker.engine.job("mail", (await creating).uid)
        assert (job.state, job.attempt, job.epoch) == (State.QUEUED, 0, 1)
        assert everything(broker.replayed()) == everything(broker.ledger)


async def test_who_goes_away_when_a_job_was_there_at_once_burns_no_attempt_either() -> None:
    async with Broker() as broker:
        await broker.configure()
        job = await broker.create()
        broker.disk.hold_syncs()
        claiming = await waiting(broker)
        claiming.cancel()
        broker.disk.let_syncs_go()
        await over(claiming)
        back = await broker.engine.job("mail", job.uid)
        assert (back.state, back.attempt) == (State.QUEUED, 0)


async def test_who_was_told_that_it_holds_nothing_holds_nothing_after_a_kill() -> None:
    async with Broker() as broker:
        await broker.configure()
        await broker.create()
        broker.disk.hold_syncs()
        claiming = await waiting(broker)
        claiming.cancel()
        await asyncio.sleep(0)
        assert not claiming.done()  # what it gives back is not on disk yet
        broker.disk.let_syncs_go()
        await over(claiming)
        (left,) = broker.replayed().contents("mail").jobs.values()
        assert (left.state, left.attempt) == (State.QUEUED, 0)


async def test_what_one_gave_back_goes_to_the_next() -> None:
    async with Broker() as broker:
        await broker.configure()
        first, second = await waiting(broker), await waiting(broker)
        broker.disk.hold_syncs()
        creating = await asked(broker.create())
        first.cancel()
        broker.disk.let_syncs_go()
        await over(first)
        assert (await second)[0].uid == (await creating).uid


async def test_a_job_whose_time_comes_is_handed_out_then() -> None:
    async with Broker() as broker:
        await broker.configure()
        time = LoopTime()
        await broker.engine.submit(create("mail", b"{}", 50, None, Options(delay=10_000)))
        claiming = await waiting(broker)
        broker.time.pass_ms(9_000)
        await time.pass_seconds(9)
        assert not claiming.done()
        broker.time.pass_ms(1_001)
        await time.pass_seconds(1.01)
        assert len(await claiming) == 1


async def test_a_queue_that_is_paused_hands_out_when_it_goes_on() -> None:
    async with Broker() as broker:
        await broker.configure()
        await broker.engine.submit(Steer("mail", is_paused=True))
        claiming = await waiting(broker)
        job = await broker.create()
        assert not claiming.done()
        await broker.engine.submit(Steer("mail", is_paused=False))
        assert (await claiming)[0].uid == job.uid


async def test_a_release_and_a_retry_are_handed_out_too() -> None:
    async with Broker() as broker:
        await broker.configure()
        job = await broker.create()
        await broker.claim()
        claiming = await waiting(broker)
        await broker.update(job, state=State.COMPLETE)
        assert not claiming.done()
        await broker.engine.submit(Control("mail", (job.uid,), Act.RETRY))
        assert (await claiming)[0].uid == job.uid


async def test_a_disk_that_is_full_at_the_hand_over_leaves_no_trace_and_says_so() -> None:
    async with Broker() as broker:
        await broker.configure()
        before = everything(broker.ledger)
        claiming = await waiting(broker)
        broker.disk.fill()
        with pytest.raises(StorageFull):
            await broker.create()
        with pytest.raises(StorageFull):
            await claiming
        broker.disk.make_room()
        assert everything(broker.ledger) == everything(broker.replayed()) == before


async def test_who_lost_the_right_while_it_waited_is_told_so_and_the_job_stays() -> None:
    def may_claim() -> None:
        if not may:
            raise Forbidden("not any more")

    async with Broker() as broker:
        await broker.configure()
        may = [True]
        claiming = await waiting(broker, may_claim=may_claim)
        may.clear()
        job = await broker.create()
        with pytest.raises(Forbidden):
            await claiming
        assert await broker.engine.job("mail", job.uid) == job


async def test_nobody_waits_on_a_queue_that_is_not_there() -> None:
    async with Broker() as broker:
        await broker.configure()
        with pytest.raises(NotFound):
            await broker.engine.claim(Claim("letters", "reader"), wait=60)


async def test_whoever_waits_on_a_queue_hears_that_it_went() -> None:
    async with Broker() as broker:
        await broker.configure(MAIL, LETTERS)
        claiming = await waiting(broker)
        either = await waiting(broker, ClaimAny((("mail", 1), ("letters", 1)), "reader"))
        await broker.configure(LETTERS)
        for one in (claiming, either):
            with pytest.raises(NotFound):
                await one


async def test_whoever_waits_hears_nothing_of_an_end_of_its_queue_that_found_no_room() -> None:
    async with Broker() as broker:
        await broker.configure(MAIL, LETTERS)
        claiming = await waiting(broker)
        broker.disk.hold_writes()
        dropping = await asked(broker.configure(LETTERS))
        broker.disk.fill()
        broker.disk.let_writes_go()
        with pytest.raises(StorageFull):
            await dropping
        broker.disk.make_room()
        job = await broker.create()
        assert (await claiming)[0].uid == job.uid


async def test_who_goes_away_at_the_end_of_the_wait_leaves_nothing_behind() -> None:
    async with Broker() as broker:
        await broker.configure()
        time = LoopTime()
        claiming = await waiting(broker)
        asyncio.get_running_loop().call_later(60, claiming.cancel)  # in the turn in which the wait ends
        await time.pass_seconds(61)
        assert claiming.cancelled()
        assert not broker.engine._handing_out.awaited


async def test_nobody_waits_for_a_server_that_stops() -> None:
    broker = Broker().start()
    await broker.configure(MAIL, LETTERS)
    job = await broker.create()
    claiming = await waiting(broker, Claim("letters", "reader"))
    ending = await asked(broker.engine.ended("mail", job.uid, wait=60))
    following = await asked(broker.engine.log("mail", job.uid, wait=60))
    watching = await asked(broker.engine.once("mail", job.uid, lambda now: now.has_ended))
    await broker.engine.stop()
    assert all(each.done() for each in (claiming, ending, following, watching))
    assert (await claiming, await ending, await following) == ((), job, (job, None))
    with pytest.raises(Unavailable):
        await watching


async def test_whoever_waits_gets_the_job_whose_claim_found_no_room() -> None:
    async with Broker() as broker:
        await broker.configure()
        job = await broker.create()
        broker.disk.hold_writes()
        refused = await asked(broker.engine.submit(CLAIM))
        claiming = await waiting(broker)
        broker.disk.fill()
        broker.disk.let_writes_go()
        with pytest.raises(StorageFull):
            await refused
        broker.disk.make_room()
        assert (await claiming)[0].uid == job.uid


# --- for one to end ---


async def held(broker: Broker, **options: Any) -> Job:
    """A new job that is claimed."""
    await broker.engine.submit(create("mail", b"{}", 50, None, Options(**options)))
    (job,) = await broker.engine.claim(CLAIM)
    assert isinstance(job, Job)
    return job


async def test_whoever_waits_for_the_end_hears_of_it_with_the_result() -> None:
    async with Broker() as broker:
        await broker.configure()
        job = await held(broker)
        ending = await asked(broker.engine.ended("mail", job.uid, wait=60))
        await broker.engine.submit(Settle("mail", (Complete(job.uid, job.lease, b"7"),)))
        assert ((await ending).state, (await ending).more.result) == (State.COMPLETE, b"7")


async def test_another_attempt_is_not_the_end() -> None:
    async with Broker() as broker:
        await broker.configure()
        job = await held(broker, max_attempts=2)
        ending = await asked(broker.engine.ended("mail", job.uid, wait=60))
        await broker.engine.submit(Settle("mail", (Fail(job.uid, job.lease, delay=0),)))
        assert not ending.done()
        (job,) = await broker.engine.submit(CLAIM)
        await broker.engine.submit(Settle("mail", (Fail(job.uid, job.lease),)))
        assert (await ending).state is State.FAILED


async def test_a_job_that_goes_is_not_found() -> None:
    async with Broker() as broker:
        await broker.configure()
        job = await held(broker)
        ending = await asked(broker.engine.ended("mail", job.uid, wait=60))
        await broker.engine.submit(delete("mail", job.uid))
        with pytest.raises(NotFound):
            await ending


async def test_a_job_that_dies_is_shown_as_the_dead_letter_that_it_is() -> None:
    async with Broker() as broker:
        await broker.configure(replace(MAIL, dead_letter="letters"), LETTERS)
        job = await held(broker)
        ending = await asked(broker.engine.ended("mail", job.uid, wait=60))
        await broker.engine.submit(Settle("mail", (Fail(job.uid, job.lease, "odd", "no"),)))
        dead = await ending
        assert (dead.queue, dead.uid, dead.more.failures[-1].text) == ("letters", job.uid, "no")


async def test_a_dead_letter_of_another_queue_is_not_shown() -> None:
    async with Broker() as broker:
        await broker.configure(replace(MAIL, dead_letter="letters"), LETTERS)
        job = await broker.create(queue="letters")
        with pytest.raises(NotFound):
            await broker.engine.ended("mail", job.uid, wait=60)


async def test_whoever_waits_for_the_end_of_a_job_hears_that_its_queue_went() -> None:
    async with Broker() as broker:
        await broker.configure()
        job = await held(broker)
        ending = await asked(broker.engine.ended("mail", job.uid, wait=60))
        await broker.configure(LETTERS)
        with pytest.raises(NotFound):
            await ending


async def test_one_that_does_not_end_is_told_as_it_is() -> None:
    async with Broker() as broker:
        await broker.configure()
        time = LoopTime()
        job = await broker.create()
        ending = await asked(broker.engine.ended("mail", job.uid, wait=5))
        await time.pass_seconds(6)
        assert await ending == job
        assert not broker.engine._watchers.events
