"""The server's own worker: an end that nobody wanted is not the end."""

import asyncio
from collections import Counter
from random import Random
from unittest import mock

import msgspec
import pytest
from msgspec.structs import replace

from jobengine.compose import workforce as module
from jobengine.compose.local_source import LocalSource
from jobengine.compose.workforce import Workforce
from jobengine.errors import ConfigurationWrong
from jobengine.model.states import State
from jobengine.settings.run import RunSettings, RunType, WorkSettings
from jobengine.settings.schema import QueueSettings, Settings
from jobengine.work.lanes import Workshop
from jobengine.work.python_class import GRACES
from jobengine.work.slots import Slots
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
        with mock.patch.object(LocalSource, "claim") as claim:
            await asyncio.sleep(0.05)
        claim.assert_not_called()


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


async def test_a_configuration_that_comes_while_the_server_stops_begins_no_job() -> None:
    async with Broker() as broker:
        await broker.configure()
        workforce = Workforce(broker.engine, SETTINGS)
        await workforce.start()
        await broker.create(content=COUNT)
        lane, can_go_on = Workshop.lane, asyncio.Event()

        async def slow(self: Workshop, queue: QueueSettings, *, directory: str | None) -> Lane:
            await can_go_on.wait()
            return await lane(self, queue, directory=directory)

        with mock.patch.object(Workshop, "lane", slow):
            taking_up = asyncio.create_task(workforce.take_up(settings(replace(RUN, workers=2))))
            await asyncio.sleep(0)
            stopping = asyncio.create_task(workforce.stop())
            await asyncio.sleep(0)
            can_go_on.set()
            await asyncio.gather(taking_up, stopping)
        await workforce.take_up(SETTINGS)
        assert [job.state for job in await broker.jobs()] == [State.QUEUED]


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


async def test_a_queue_that_cannot_be_run_holds_up_no_other_and_is_tried_again() -> None:
    async with Broker() as broker:
        await broker.configure(MAIL, replace(MAIL, name="letters"))
        workforce = Workforce(broker.engine, Settings())
        await workforce.start()
        lane, is_there = Workshop.lane, asyncio.Event()

        async def sometimes(self: Workshop, queue: QueueSettings, *, directory: str | None) -> Lane:
            if queue.name == "letters" and not is_there.is_set():
                raise ConfigurationWrong("run.sandbox: not here")
            return await lane(self, queue, directory=directory)

        with mock.patch.object(Workshop, "lane", sometimes):
            both = (*SETTINGS.queues, replace(SETTINGS.queues[0], name="letters"))
            await workforce.take_up(Settings(queues=both))
            assert workforce.warning() == "no jobs of letters are run here: run.sandbox: not here"
            job = await broker.create(content=COUNT)
            assert (await broker.engine.ended("mail", job.uid, wait=10)).has_ended
            job = await broker.create(content=COUNT, queue="letters")
            is_there.set()
            assert (await broker.engine.ended("letters", job.uid, wait=10)).has_ended
            assert workforce.warning() is None
            await workforce.stop()


async def test_what_is_known_to_be_wrong_is_refused_before_anything_changes() -> None:
    async with Broker() as broker:
        await broker.configure()
        workforce = Workforce(broker.engine, SETTINGS)
        await workforce.start()
        await workforce.check(SETTINGS)
        gone = replace(RUN, classes={"Gone": "no.such.module:Gone"})
        with pytest.raises(
            ConfigurationWrong, match=r"queues\.mail: run\.classes\.Gone: no\.such\.module:Gone"
        ):
            await workforce.check(settings(gone))
        nobody = RunSettings(type=RunType.SHELL, user="nobody-at-all")
        with pytest.raises(ConfigurationWrong, match=r"queues\.mail: run\.user"):
            await workforce.check(settings(nobody))
        job = await broker.create(content=COUNT)
        assert (await broker.engine.ended("mail", job.uid, wait=10)).has_ended
        await workforce.stop()


async def test_its_stop_may_take_as_long_as_what_runs_was_promised() -> None:
    async with Broker() as broker:
        await broker.configure()
        patient = replace(RUN, grace=60_000)
        work = WorkSettings(drain_seconds=1)
        workforce = Workforce(broker.engine, replace(settings(patient), work=work))
        await workforce.start()
        assert workforce.stop_seconds == 0
        job = await broker.create(content=FOR_A_WHILE)
        while (await broker.engine.job("mail", job.uid)).state is State.QUEUED:
            await asyncio.sleep(0.01)
        await workforce.take_up(replace(SETTINGS, work=work))
        assert workforce.stop_seconds == 1 + 60 * GRACES
        await broker.engine.ended("mail", job.uid, wait=10)
        await workforce.stop()
        assert workforce.stop_seconds == 0


async def test_no_edit_has_more_run_than_it_allows() -> None:
    queues, chance = ("mail", "letters"), Random(7)
    sleeps = replace(RUN, classes={"Sleeps": "tests.work.odd_classes:Sleeps"})
    running, begun = Counter[str](), list[str]()
    taken, given_back = Slots.take, Slots.give_back
    edit = Settings()

    def edited() -> Settings:
        chosen = chance.sample(queues, chance.randint(0, 2))
        runs = {name: replace(sleeps, workers=chance.randint(1, 4)) for name in chosen}
        all_ = tuple(QueueSettings(name, frozenset(), frozenset(), run=run) for name, run in runs.items())
        return Settings(queues=all_, work=WorkSettings(slots=chance.choice((0, 1, 2, 5))))

    def take(self: Slots, queue: str) -> int:
        running[queue] += 1
        begun.append(queue)
        allowed = {each.name: each.run.workers for each in edit.queues}
        assert running[queue] <= allowed[queue]
        assert running.total() <= (edit.work.slots or 1000)
        return taken(self, queue)

    def give_back(self: Slots, queue: str, number: int) -> None:
        running[queue] -= 1
        given_back(self, queue, number)

    async with Broker() as broker:
        await broker.configure(MAIL, replace(MAIL, name="letters"))
        workforce = Workforce(broker.engine, edit)
        await workforce.start()
        jobs = []
        for number in range(200):
            queue = queues[number % 2]
            seconds = chance.choice((0, 0.001, 0.02))
            content = msgspec.json.encode({"class": "Sleeps", "args": {"seconds": seconds}})
            jobs.append(await broker.create(content=content, queue=queue))
        with mock.patch.object(Slots, "take", take), mock.patch.object(Slots, "give_back", give_back):
            for _ in range(100):
                edit = edited()
                await workforce.take_up(edit)
                await asyncio.sleep(chance.choice((0, 0.001, 0.01)))
            everything = [QueueSettings(name, frozenset(), frozenset(), run=sleeps) for name in queues]
            edit = Settings(queues=tuple(everything))
            await workforce.take_up(edit)
            for job in jobs:
                ended = await broker.engine.ended(job.queue, job.uid, wait=20)
                assert (ended.state, ended.attempt) == (State.COMPLETE, 1)
            assert len(begun) == len(jobs)
            await workforce.stop()


async def test_a_configuration_that_comes_while_the_first_worker_begins_leaves_one_worker() -> None:
    async with Broker() as broker:
        await broker.configure()
        workforce = Workforce(broker.engine, SETTINGS)
        lane, can_go_on = Workshop.lane, asyncio.Event()
        run, begun = Worker.run, list[Worker]()

        async def slow(self: Workshop, queue: QueueSettings, *, directory: str | None) -> Lane:
            await can_go_on.wait()
            return await lane(self, queue, directory=directory)

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
