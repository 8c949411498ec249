"""One attempt of one job, as the worker sees it."""

import asyncio
import gc
import json
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import pytest

from jobengine.client.worker.threads import Threads
from jobengine.errors import Unavailable
from jobengine.settings.run import RunSettings
from jobengine.work.conditions import Conditions
from jobengine.work.examples import Simple
from jobengine.work.outcome import Broken, Done, Kind
from jobengine.work.python_class import PythonRunner
from jobengine.work.runner import LogSink
from jobengine.work.running import Running
from jobengine.work.shell import ShellRunner, ShellSettings
from jobengine.work.source import Asked, Claimed
from jobengine.work.spawner.spawner import Spawner
from tests.support.loop_time import LoopTime
from tests.work.shop import shop_of


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """What is left then is left until somebody looks for it."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Nobody:
    """A broker that never wants anything else."""

    lease_seconds = 60.0

    async def changed(self, job: Claimed, known: Asked) -> None:
        """Not in this test."""
        await asyncio.sleep(60)

    async def progress(self, job: Claimed, progress: bytes) -> None:
        """Of no interest."""


class Refusing(Nobody):
    """A broker that wants something, and is asked in vain."""

    async def changed(self, job: Claimed, known: Asked) -> None:
        """At once."""


async def renew(_runs: Sequence[Running]) -> None:
    """Held on."""


async def test_what_has_run_is_given_up_at_once_and_not_when_garbage_is_collected() -> None:
    job = Claimed("steps", "1", "lease", 1, b'{"class": "Simple", "args": {"count": 2, "seconds": 0.02}}')

    async def run() -> "weakref.ref[Running]":
        make = partial(PythonRunner, job, {"Simple": Simple}, Threads(1), grace_seconds=5)
        running = Running(job, make, Nobody(), timeout_seconds=10)  # type: ignore[arg-type]
        running.listen(renew)
        assert isinstance(await running.run(), Done)
        running.listen_no_more()
        return weakref.ref(running)

    with no_garbage_collection():
        ran = await run()
        await asyncio.sleep(0.01)
        assert ran() is None


def _shell(
    job: Claimed, settings: RunSettings, conditions: Conditions, spawner: Spawner, sink: LogSink
) -> ShellRunner:
    return ShellRunner(job, ShellSettings(settings.allow_shell, 1000), conditions, spawner, sink)


async def test_a_broker_that_refuses_at_once_is_not_asked_without_a_pause() -> None:
    job = Claimed("steps", "1", "lease", 1, b'{"class": "Simple", "args": {"count": 2, "seconds": 0.02}}')
    asked: list[object] = []

    async def refuse(runs: Sequence[Running]) -> None:
        asked.append(runs)
        assert len(asked) < 100  # else nothing else would ever have its turn
        raise Unavailable("the disk does not answer")

    make = partial(PythonRunner, job, {"Simple": Simple}, Threads(1), grace_seconds=5)
    running = Running(job, make, Refusing(), timeout_seconds=10)  # type: ignore[arg-type]
    running.listen(refuse)
    assert isinstance(await running.run(), Done)
    running.listen_no_more()
    assert len(asked) == 1


async def test_of_a_job_that_is_gone_nothing_more_is_heard() -> None:
    job = Claimed("steps", "1", "lease", 1, b'{"class": "Simple", "args": {"count": 100}}')
    asked: list[object] = []

    async def gone(runs: Sequence[Running]) -> None:
        asked.append(runs)
        assert len(asked) < 100  # else nothing else would ever have its turn
        runs[0].ask(Asked.GONE)

    make = partial(PythonRunner, job, {"Simple": Simple}, Threads(1), grace_seconds=5)
    running = Running(job, make, Refusing(), timeout_seconds=200)  # type: ignore[arg-type]
    running.listen(gone)
    assert await running.run() is None
    running.listen_no_more()
    assert len(asked) == 1


async def test_the_time_limit_counts_what_it_runs_and_not_what_it_stands_still() -> None:
    async with shop_of(_shell) as shop:
        time = LoopTime()
        job = Claimed("nightly", "1", "lease", 1, b"")
        make = partial(shop.runner, {"argv": ["sleep", "600"]})
        running = Running(job, make, Nobody(), timeout_seconds=60)  # type: ignore[arg-type]
        ending = asyncio.create_task(running.run())
        while running._watch.left is None:  # it is not started yet
            await asyncio.sleep(0)
        await time.pass_seconds(59)
        running.ask(Asked.HALT)
        await time.pass_seconds(0)
        assert running._watch.left is None
        await time.pass_seconds(3_600)
        running.ask(Asked.RUN)
        await time.pass_seconds(0)
        assert running._watch.left == pytest.approx(1)
        await time.pass_seconds(0.9)
        assert running._watch.left == pytest.approx(0.1)
        await time.pass_seconds(0.2)
        outcome = await ending
    assert isinstance(outcome, Broken)
    assert (outcome.kind, outcome.text) == (Kind.TIMEOUT, "it ran for longer than 60 s")
    assert json.loads(outcome.result or b"")["signal"] == "SIGTERM"
