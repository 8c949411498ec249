"""One attempt of one job, as the worker sees it."""

import asyncio
import gc
import weakref
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from jobengine.work.examples import Simple
from jobengine.work.outcome import Done
from jobengine.work.python_class import PythonRunner
from jobengine.work.running import Running
from jobengine.work.source import Asked, Claimed


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


async def renew(_runs: Sequence[Running]) -> None:
    """Held on."""


async def test_what_has_run_is_given_up_at_once_and_not_when_garbage_is_collected() -> None:
    job = Claimed("steps", "1", "lease", 1, b'{"class": "Simple", "args": {"count": 2, "seconds": 0.02}}')

    async def run() -> "weakref.ref[Running]":
        with ThreadPoolExecutor(1) as threads:
            make = partial(PythonRunner, job, {"Simple": Simple}, threads)
            running = Running(job, make, Nobody(), timeout_seconds=10)  # type: ignore[arg-type]
            running.listen(renew)
            assert isinstance(await running.run(), Done)
            running.listen_no_more()
            return weakref.ref(running)

    with no_garbage_collection():
        ran = await run()
        await asyncio.sleep(0.01)
        assert ran() is None
