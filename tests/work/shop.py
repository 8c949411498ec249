"""Where jobs are run, one after another."""

import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from jobengine.model.log import Stream
from jobengine.settings.run import RunSettings
from jobengine.work.conditions import Conditions
from jobengine.work.outcome import Broken, Done, Outcome
from jobengine.work.runner import LogSink, Runner
from jobengine.work.source import Claimed
from jobengine.work.spawner.spawner import Spawner
from tests.work.spawner.programs import spawning

# A runner for a job, with the settings of its queue.
Make = Callable[[Claimed, RunSettings, Conditions, Spawner, LogSink], Runner]


class Shop:
    """Runs jobs whose programs are nobody's where these tests are root's."""

    def __init__(self, make: Make, spawner: Spawner, parent: Path) -> None:
        self.spawner = spawner
        self.parent = parent
        self.log = {stream: bytearray() for stream in Stream}
        self.settings = RunSettings(user="nobody" if os.geteuid() == 0 else None, grace=200)
        self._make = make

    def runner(self, content: object, *, log_bytes: int = 100_000, **settings: Any) -> Runner:
        """One that has not begun. Raises Refused."""
        changed = msgspec.structs.replace(self.settings, **settings)
        job = Claimed("jobs", "1", "lease", 1, msgspec.json.encode(content))
        return self._make(job, changed, self.conditions(changed, log_bytes), self.spawner, self.take)

    def conditions(self, settings: RunSettings | None = None, log_bytes: int = 100_000) -> Conditions:
        """Under which they run."""
        settings = settings or self.settings
        return Conditions.of(settings, os.environ, directory=str(self.parent), log_bytes=log_bytes)

    async def run(self, content: object, **settings: Any) -> Outcome:
        """From its beginning to its end. Raises Refused."""
        runner = self.runner(content, **settings)
        try:
            await runner.start()
            return await runner.ended()
        finally:
            await runner.clean()

    async def take(self, stream: Stream, offset: int, data: bytes) -> None:
        """Their log."""
        self.log[stream] += data


@contextmanager
def open_directory() -> Iterator[Path]:
    """One where all may go: not below pytest's own, which it closes to others."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@asynccontextmanager
async def shop_of(make: Make) -> AsyncIterator[Shop]:
    """One for these runners; nothing must be left of what they run."""
    with open_directory() as parent:
        async with spawning() as spawner:
            yield Shop(make, spawner, parent)
        assert list(parent.iterdir()) == []


def result_of(outcome: Outcome) -> dict[str, Any]:
    """What is told of how it ran."""
    assert isinstance(outcome, Done | Broken)
    assert outcome.result is not None
    return msgspec.json.decode(outcome.result, type=dict[str, Any])
