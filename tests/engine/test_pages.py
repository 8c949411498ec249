"""Pages of a queue, by state, read while jobs come and go."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest
from msgspec.structs import replace

from jobengine.engine import pages
from jobengine.engine.pages import Page, Wish
from jobengine.errors import NotFound
from jobengine.model.blob import BLOB_THRESHOLD_BYTES, Blob
from jobengine.model.commands import Claim, Complete, Create, Draft, Settle
from jobengine.model.job import Job
from jobengine.model.order import LIVING
from jobengine.model.states import State
from tests.support.brokers import MAIL, MINUTE_MS, Broker
from tests.support.commands import delete

ALL = Wish("mail", LIVING, 7)


@asynccontextmanager
async def filled(jobs: int) -> AsyncIterator[Broker]:
    """A broker with so many jobs of many priorities."""
    async with Broker() as broker:
        await broker.configure()
        drafts = tuple(Draft(b"{}", 1 + number % 100, MINUTE_MS) for number in range(jobs))
        await broker.engine.submit(Create("mail", drafts))
        yield broker


async def each_page(broker: Broker, wish: Wish) -> AsyncIterator[Page]:
    """From the first to the last."""
    page = await broker.engine.page(wish)
    yield page
    while page.after is not None:
        page = await broker.engine.page(replace(wish, after=page.after))
        yield page


async def test_pages_together_are_the_queue_in_its_order() -> None:
    async with filled(50) as broker:
        found = [page async for page in each_page(broker, ALL)]
        assert [len(page.jobs) for page in found] == [7] * 7 + [1]
        assert [job for page in found for job in page.jobs] == await broker.jobs()


async def test_a_full_last_page_says_that_it_is_the_last() -> None:
    async with filled(14) as broker:
        assert [len(page.jobs) async for page in each_page(broker, ALL)] == [7, 7]


@pytest.mark.parametrize("seed", range(5))
async def test_while_jobs_come_and_go_none_is_listed_twice_and_none_missed_that_was_there(seed: int) -> None:
    random = Random(seed)
    async with filled(60) as broker:
        there = {job.uid for job in await broker.jobs()}
        seen: list[str] = []
        async for page in each_page(broker, ALL):
            seen += [job.uid for job in page.jobs]
            await broker.create(priority=random.randint(1, 100))
            gone = random.choice(await broker.jobs())
            await broker.engine.submit(delete("mail", gone.uid))
            there.discard(gone.uid)
            await broker.claim()
        assert len(set(seen)) == len(seen)
        assert there <= set(seen)


async def test_only_those_in_the_states_as_time_has_left_them_are_listed() -> None:
    async with Broker() as broker:
        await broker.configure(replace(MAIL, lease=1_000))
        await broker.create(valid_for=500)
        held = await broker.create(priority=90)
        assert await broker.claim() is not None
        broker.time.pass_ms(1_000)  # one has expired, one timed out, and nobody has swept
        for state, uids in ((State.QUEUED, []), (State.INPROGRESS, []), (State.FAILED, [held.uid])):
            page = await broker.engine.page(Wish("mail", (state,), 10))
            assert [job.uid for job in page.jobs] == uids


async def test_a_look_that_finds_little_ends_with_a_part_and_goes_on_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pages, "LOOK_MOST", 500)
    async with filled(1_200) as broker:
        wish = replace(ALL, is_wanted=lambda job, _content, _result: job.priority == 1)
        found = [page async for page in each_page(broker, wish)]
        assert [page.looked_at for page in found[:2]] == [500, 500]
        assert found[0].jobs == []
        assert sum(len(page.jobs) for page in found) == 12


async def test_a_look_at_ten_thousand_jobs_lets_others_have_their_turn() -> None:
    async with filled(3_000) as broker:
        turns = 0

        async def count_turns() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        counting = asyncio.create_task(count_turns())
        await broker.engine.page(replace(ALL, is_wanted=lambda _job, _content, _result: False))
        counting.cancel()
        assert turns >= 10


@pytest.mark.parametrize(("needs", "length"), [(True, BLOB_THRESHOLD_BYTES + 1), (False, 0)])
async def test_a_big_content_is_read_only_for_who_needs_it(needs: bool, length: int) -> None:
    def is_wanted(_job: Job, content: bytes, _result: bytes) -> bool:
        return len(content) == length

    async with filled(0) as broker:
        await broker.create(content=b"x" * (BLOB_THRESHOLD_BYTES + 1))
        page = await broker.engine.page(replace(ALL, needs_content=needs, is_wanted=is_wanted))
        assert len(page.jobs) == 1


@pytest.mark.parametrize(("needs", "length"), [(True, BLOB_THRESHOLD_BYTES + 1), (False, 0)])
async def test_a_big_result_is_read_only_for_who_needs_it(needs: bool, length: int) -> None:
    def is_wanted(_job: Job, _content: bytes, result: bytes) -> bool:
        return len(result) == length

    async with filled(0) as broker:
        await broker.create()
        (job,) = await broker.engine.submit(Claim("mail", "reader"))
        result = b"x" * (BLOB_THRESHOLD_BYTES + 1)
        await broker.engine.submit(Settle("mail", (Complete(job.uid, job.lease, result),)))
        page = await broker.engine.page(replace(ALL, needs_result=needs, is_wanted=is_wanted))
        assert len(page.jobs) == 1


async def test_what_is_read_of_big_values_for_one_page_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    size = BLOB_THRESHOLD_BYTES + 1
    monkeypatch.setattr(pages, "LOOK_BYTES_MOST", 3 * size)
    async with filled(0) as broker:
        for _ in range(5):
            await broker.create(content=b"x" * size)
        wish = replace(ALL, needs_content=True, is_wanted=lambda _job, _content, _result: False)
        first = await broker.engine.page(wish)
        assert (first.looked_at, first.after is None) == (3, False)
        assert first.after is not None
        rest = await broker.engine.page(replace(wish, after=first.after))
        assert (rest.looked_at, rest.after) == (2, None)


async def test_a_job_that_is_claimed_while_its_big_value_is_read_is_not_shown_as_queued(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with filled(0) as broker:
        job = await broker.create(content=b"x" * (BLOB_THRESHOLD_BYTES + 1))
        read = broker.engine.content

        async def content(value: bytes | Blob) -> bytes:
            await broker.claim()
            return await read(value)

        monkeypatch.setattr(broker.engine, "content", content)
        wish = Wish("mail", (State.QUEUED,), 7, needs_content=True)
        assert (await broker.engine.page(wish)).jobs == []
        wish = replace(wish, states=(State.INPROGRESS,))
        assert [each.uid for each in (await broker.engine.page(wish)).jobs] == [job.uid]


async def test_values_of_jobs_in_other_states_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    async with filled(0) as broker:
        await broker.create(content=b"x" * (BLOB_THRESHOLD_BYTES + 1))
        monkeypatch.setattr(broker.engine._journal, "read_blob", lambda _blob: pytest.fail("it was read"))
        wish = Wish("mail", (State.FAILED,), 7, needs_content=True, is_wanted=lambda *_: True)
        assert (await broker.engine.page(wish)).jobs == []


async def test_a_page_of_a_queue_that_is_not_there_is_not_found() -> None:
    async with Broker() as broker:
        with pytest.raises(NotFound):
            await broker.engine.page(ALL)
