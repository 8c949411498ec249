"""The broker of a test: the real engine, the real door, a real file, in a thread of the test's process."""

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any, Final

from jobengine.client.async_client import AsyncClient
from jobengine.client.client import Client
from jobengine.client.values import Duration, seconds
from jobengine.client.worker import Worker
from jobengine.model.commands import Sweep
from jobengine.testing.quiet import quiet
from jobengine.testing.rooms import Rooms, rooms
from jobengine.testing.time import MS, MovedLoop, MovedTime

ADMIN: Final = "admin"
SWEEP_MOST: Final = 1000
LOOK_SECONDS: Final = 0.0005
TURNS: Final = 10  # of the loop, in which what is due comes to its end

Queues = Iterable[str] | Mapping[str, Mapping[str, Any]]  # names, or names with options of the configuration


class Broker:
    """A broker that runs. Every service may read and write all its queues; "admin" may administer it."""

    def __init__(self, opened: Rooms, time: MovedTime) -> None:
        self.url = opened.url
        self._engine = opened.engine
        self._time = time
        self._loop = asyncio.get_running_loop()

    @property
    def now(self) -> datetime:
        """The time of its jobs."""
        return datetime.fromtimestamp(self._time.now_ms / MS, UTC)

    def advance(self, duration: Duration) -> None:
        """Let so much time pass. All that is then due has been done when this returns."""
        asyncio.run_coroutine_threadsafe(self._advance(seconds(duration)), self._loop).result()

    def client(self, name: str) -> Client:
        """A client of this broker, for the test to close."""
        return Client(self.url, name=name, retry_seconds=0)

    def async_client(self, name: str) -> AsyncClient:
        """An asynchronous client of this broker, for the test to close."""
        return AsyncClient(self.url, name=name, retry_seconds=0)

    def run(self, worker: Worker, *, name: str | None = None) -> None:
        """Let a worker do all that can be done now: what waits for a time stays."""
        worker.run(url=self.url, name=name, until_empty=True)

    async def _advance(self, duration: float) -> None:
        await self._all_written()  # else the disk would have hung for so long
        self._time.move(duration)
        while (await self._engine.submit(Sweep(SWEEP_MOST))).total:
            pass
        for _ in range(TURNS):
            await asyncio.sleep(0)
        await self._all_written()

    async def _all_written(self) -> None:
        while self._engine.is_writing:  # noqa: ASYNC110  # it says so to nobody
            await asyncio.sleep(LOOK_SECONDS)


@contextmanager
def broker(queues: Queues, *, now: datetime | None = None) -> Iterator[Broker]:
    """A broker with these queues, until the end of the `with`.

    The time of its jobs begins `now`, and stands still until `advance` moves it. Raises ConfigurationWrong.
    """
    time = MovedTime(round((now or datetime.now(UTC)).timestamp() * MS))
    with quiet(), TemporaryDirectory(prefix="jobengine-") as directory:
        configuration = Path(directory, "config.yml")
        configuration.write_text(json.dumps(_document(queues)))  # JSON is YAML too
        thread = _BrokerThread(configuration, time)
        thread.start()
        try:
            yield thread.started.result()
        finally:
            thread.stop()


def _document(queues: Queues) -> dict[str, object]:
    options = queues if isinstance(queues, Mapping) else {name: {} for name in queues}
    everybody = {"read": ["*"], "write": ["*"]}
    return {"admin": [ADMIN], "queues": {name: {**everybody, **given} for name, given in options.items()}}


class _BrokerThread(Thread):
    def __init__(self, configuration: Path, time: MovedTime) -> None:
        super().__init__(name="jobengine-broker")
        self.started: Future[Broker] = Future()
        self._configuration = configuration
        self._time = time
        self._loop = MovedLoop()
        self._end = asyncio.Event()

    def run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    def stop(self) -> None:
        if self.is_alive():
            self._loop.call_soon_threadsafe(self._end.set)
        self.join()

    async def _serve(self) -> None:
        try:
            async with rooms(self._configuration, self._time) as opened:
                self.started.set_result(Broker(opened, self._time))
                await self._end.wait()
        except BaseException as error:  # it is raised where it is waited for
            if self.started.done():
                raise
            self.started.set_exception(error)
