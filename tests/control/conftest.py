"""A control server inside the test, and what it is asked."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from jobengine.control.protocol import Compact, Info, Plan, Question, Rekey
from jobengine.control.server import ControlServer
from jobengine.engine.interface import Compacted

COMPACTED = Compacted(bytes_before=4096, bytes_after=1024, seconds=0.5, sequence=7)
EVERY_QUESTION = (Compact(), Rekey("old", "new"), Plan("queues: {}", "config.yml"), Info())


class ScriptedDesk:
    """Answers each question with what the test wrote down, when the test lets it."""

    def __init__(self) -> None:
        self.asked: list[Question] = []
        self.outcome: Any = COMPACTED
        self.bytes_written = 0
        self.begun = asyncio.Event()
        self.let_go = asyncio.Event()
        self.let_go.set()
        self.finished = asyncio.Event()

    async def answer(self, question: Question) -> Any:
        """The outcome; an error among them is raised."""
        self.asked.append(question)
        self.begun.set()
        await self.let_go.wait()
        self.finished.set()
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


@pytest.fixture
def desk() -> ScriptedDesk:
    """What stands behind the socket."""
    return ScriptedDesk()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where the database file would be."""
    return tmp_path / "jobs.queuedb"


@pytest.fixture
async def server(desk: ScriptedDesk, database: Path) -> AsyncIterator[ControlServer]:
    """It listens."""
    server = ControlServer(database, desk.answer, bytes_written=lambda: desk.bytes_written)
    await server.start()
    yield server
    desk.let_go.set()
    await server.stop()
    await server.finish()
