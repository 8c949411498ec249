"""The server's own worker: an end that nobody wanted is not the end."""

import asyncio
from unittest import mock

import pytest
from msgspec.structs import replace

from jobengine.compose import workforce as module
from jobengine.compose.local_source import LocalSource
from jobengine.compose.workforce import Workforce
from jobengine.model.states import State
from jobengine.settings.run import RunSettings, RunType, WorkSettings
from jobengine.settings.schema import QueueSettings, Settings
from jobengine.work.lanes import Workshop
from jobengine.work.source import Claimed
from jobengine.work.worker import Lane, Worker
from tests.support.brokers import MAIL, Broker

RUN = RunSettings(type=RunType.PYTHON, workers=1, classes={"Simple": "jobengine.work.examples:Simple"})


def settings(run: RunSettings) -> Settings:
    """One queue whose jobs are run so."""
    return Settings(queues=(QueueSettings("mail", frozenset(), frozenset(), run=run),))


SETTINGS = settings(RUN)
FOR_A_WHILE = b'{"class":"Simple","args":{"count":1,"seconds":0.2}}'
COUNT = b'{"class":"Simple","args":{"count":1,"seconds":0}}'


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.01)


async def test_a_worker_that_fails_is_told_of_and_another_one_begins() -> None:
    claim = LocalSource.claim
    failures = iter([RuntimeError("a bug")])
    told: list[str | None] = []

    async def first_failing(self: LocalSource, queues: list[str], **named: object) -> list[Claimed]:
        if (failure := next(failures, None)) is not None:
            raise failure
        told.append(workforce.warning())
        return list(await claim(self, queues, **named))  # type: ignore[arg-type]

    async with Broker() as broker:
        await broker.configure()
        workforce = Workforce(broker.engine, SETTINGS)
        with mock.patch.object(LocalSource, "claim", first_failing):
            await workforce.start()
            while workforce.warning() is None:
                await asyncio.sleep(0)
            assert "RuntimeError" in str(workforce.warning())
            job = await broker.create(content=COUNT)
            assert (await broker.engine.ended("mail", job.uid, wait=10)).has_ended
            assert told[0] is None
            await workforce.stop()


async def test_a_worker_that_was_sent_away_does_not_come_back() -> None:
    async with Broker() as broker:
        await broker.configure()
        workforce = Workforce(broker.engine, SETTINGS)
        with mock.patch.object(LocalSource, "claim", side_effect=RuntimeError("a bug")):
            await workforce.start()
            while workforce.warning() is None:
                await asyncio.sleep(0)
            await workforce.stop()
        await asyncio.sleep(0.05)
        assert workforce._working is None


async def test_what_runs_when_the_configuration_changes_ends_as_it_was_begun() -> None:
    async with Broker() as broker:
        await broker.configure()
        at_once = WorkSettings(drain_seconds=0)
        workforce = Workforce(broker.engine, replace(SETTINGS, work=at_once))
        await workforce.start()
        job = await broker.create(content=FOR_A_WHILE)
        while (await broker.engine.job("mail", job.uid)).state is State.QUEUED:
            await asyncio.sleep(0.01)
        await workforce.take_up(replace(settings(replace(RUN, workers=2)), work=at_once))
        ended = await broker.engine.ended("mail", job.uid, wait=10)
        assert (ended.state, ended.epoch) == (State.COMPLETE, 1)
        await workforce.stop()


async def test_a_queue_that_goes_does_not_end_the_jobs_of_the_others() -> None:
    async with Broker() as broker:
        await broker.configure(MAIL, replace(MAIL, name="letters"))
        both = (*SETTINGS.queues, replace(SETTINGS.queues[0], name="letters"))
        workforce = Workforce(broker.engine, Settings(queues=both))
        await workforce.start()
        job = await broker.create(content=FOR_A_WHILE)
        while (await broker.engine.job("mail", job.uid)).state is State.QUEUED:
            await asyncio.sleep(0.01)
        await broker.configure(MAIL)
        await workforce.take_up(SETTINGS)
        assert workforce.warning() is None
        ended = await broker.engine.ended("mail", job.uid, wait=10)
        assert (ended.state, ended.epoch) == (State.COMPLETE, 1)
        await workforce.stop()


async def test_a_configuration_that_comes_while_the_server_stops_begins_no_worker() -> None:
    async with Broker() as broker:
        await broker.configure()
        workforce = Workforce(broker.engine, SETTINGS)
        await workforce.start()
        lane, can_go_on = Workshop.lane, asyncio.Event()

        async def slow(self: Workshop, queue: QueueSettings, *, slots: int) -> Lane:
            await can_go_on.wait()
            return await lane(self, queue, slots=slots)

        with mock.patch.object(Workshop, "lane", slow):
            taking_up = asyncio.create_task(workforce.take_up(settings(replace(RUN, workers=2))))
            await asyncio.sleep(0)
            await workforce.stop()
            can_go_on.set()
            await taking_up
        assert workforce._worker is None


async def test_what_cannot_be_run_any_more_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN_SECONDS", 60)
    async with Broker() as broker:
        await broker.configure()
        workforce = Workforce(broker.engine, SETTINGS)
        await workforce.start()
        wrong = RunSettings(type=RunType.PYTHON, workers=1, classes={"Gone": "no.such.module:Gone"})
        await workforce.take_up(settings(wrong))
        assert "no.such.module:Gone" in str(workforce.warning())
        await workforce.take_up(SETTINGS)
        assert workforce.warning() is None
        await workforce.stop()


async def test_a_configuration_that_comes_while_the_first_worker_begins_leaves_one_worker() -> None:
    async with Broker() as broker:
        await broker.configure()
        workforce = Workforce(broker.engine, SETTINGS)
        lane, can_go_on = Workshop.lane, asyncio.Event()
        run, begun = Worker.run, list[Worker]()

        async def slow(self: Workshop, queue: QueueSettings, *, slots: int) -> Lane:
            await can_go_on.wait()
            return await lane(self, queue, slots=slots)

        async def seen(self: Worker) -> None:
            begun.append(self)
            await run(self)
            begun.remove(self)

        with mock.patch.object(Workshop, "lane", slow), mock.patch.object(Worker, "run", seen):
            starting = asyncio.create_task(workforce.start())
            taking_up = asyncio.create_task(workforce.take_up(settings(replace(RUN, workers=2))))
            await asyncio.sleep(0)
            can_go_on.set()
            await asyncio.gather(starting, taking_up)
            await asyncio.sleep(0)
            await workforce.stop()
        assert begun == []
