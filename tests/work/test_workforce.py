"""The server's own worker: an end that nobody wanted is not the end."""

import asyncio
from unittest import mock

import pytest

from jobengine.compose import workforce as module
from jobengine.compose.local_source import LocalSource
from jobengine.compose.workforce import Workforce
from jobengine.settings.run import RunSettings, RunType
from jobengine.settings.schema import QueueSettings, Settings
from jobengine.work.source import Claimed
from tests.support.brokers import Broker

RUN = RunSettings(type=RunType.PYTHON, workers=1, classes={"Simple": "jobengine.work.examples:Simple"})


def settings(run: RunSettings) -> Settings:
    """One queue whose jobs are run so."""
    return Settings(queues=(QueueSettings("mail", frozenset(), frozenset(), run=run),))


SETTINGS = settings(RUN)
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
