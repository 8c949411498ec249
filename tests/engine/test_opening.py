"""From a real file to an engine."""

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from jobengine.engine.interface import Engine
from jobengine.engine.local import LocalEngine
from jobengine.engine.opening import open_engine
from jobengine.errors import ConfigurationWrong, QueueFull, WrongSecret
from jobengine.journal.journal import Journal
from jobengine.journal.keys import Secret
from jobengine.model.commands import Claim, Configure
from jobengine.model.job import Job
from jobengine.model.ledger import Ledger
from tests.support.brokers import MAIL, MINUTE_MS, SECRET_TEXT
from tests.support.commands import create, delete

BIG = os.urandom(40_000)


def opened(path: Path, *, secret: str = SECRET_TEXT, limit: int | None = None) -> LocalEngine:
    """The engine of a file, running."""
    engine = open_engine(path, secret, bytes_limit=limit)
    engine.start(on_failure=lambda _: None)
    return engine


async def jobs_of(engine: Engine) -> list[tuple[Job, bytes]]:
    """All jobs of the queue, with their content."""
    jobs = [job async for some in engine.slices("mail") for job in some.jobs]
    return [(job, await engine.content(job.content)) for job in jobs]


def without_places(jobs: list[tuple[Job, bytes]]) -> list[tuple[object, ...]]:
    """A big value stands elsewhere in another file."""
    return [(job.uid, job.state, job.order, job.updated, job.claimer, content) for job, content in jobs]


async def wasteful(path: Path) -> list[tuple[Job, bytes]]:
    """Makes a file of which little is of use; returns what is."""
    engine = opened(path)
    await engine.submit(Configure((MAIL,)))
    for number in range(40):
        (job,) = (await engine.submit(create("mail", b'{"n":%d}' % number, 50, 60 * MINUTE_MS))).jobs
        (big,) = (await engine.submit(create("mail", BIG + bytes([number]), 51, 60 * MINUTE_MS))).jobs
        if number % 10:
            await engine.submit(delete("mail", job.uid))
            await engine.submit(delete("mail", big.uid))
    await engine.submit(Claim("mail", "reader"))
    left = await jobs_of(engine)
    await engine.stop()
    return left


async def test_time_does_not_run_back_over_a_compaction(tmp_path: Path) -> None:
    path = tmp_path / "jobs.queuedb"
    ahead_ms = 10 * 365 * 24 * 60 * MINUTE_MS
    left = await wasteful(path)
    await moved_ahead(path, ahead_ms)
    engine = opened(path)
    await engine.compact()
    await engine.stop()
    with capture_logs() as logs:
        engine = opened(path)
    assert [entry["event"] for entry in logs] == ["clock_ahead"]
    assert logs[-1]["seconds"] == pytest.approx(ahead_ms / 1000, abs=60)
    assert await jobs_of(engine) == []  # all of them are long over
    (late,) = (await engine.submit(create("mail", b"{}", 50, 1))).jobs
    assert late.created > left[0][0].created + ahead_ms // 2
    await engine.stop()


async def moved_ahead(path: Path, milliseconds: int) -> None:
    """Let a broker whose clock went far ahead have written to the file."""
    ledger = Ledger()
    journal = Journal.open(path, Secret.parse(SECRET_TEXT), replay=ledger.replay)
    time = journal.last_time + milliseconds
    journal.start(now=lambda: time, on_rollback=lambda _: None, on_failure=lambda _: None)
    await journal.append([])
    await journal.close()


async def test_a_clock_that_is_right_is_not_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "jobs.queuedb"
    with capture_logs() as logs:
        await opened(path).stop()
        await opened(path).stop()
    assert logs == []


async def test_the_memory_limit_counts_what_was_there_before_the_start(tmp_path: Path) -> None:
    path = tmp_path / "jobs.queuedb"
    engine = opened(path)
    await engine.submit(Configure((MAIL,)))
    await engine.submit(create("mail", b"x" * 1_000, 50, MINUTE_MS))
    await engine.stop()
    again = opened(path, limit=2_000)
    with pytest.raises(QueueFull):
        await again.submit(create("mail", b"x" * 1_000, 50, MINUTE_MS))
    await again.stop()


async def test_a_wrong_secret_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "jobs.queuedb"
    await opened(path).stop()
    before = path.read_bytes()
    with pytest.raises(WrongSecret):
        opened(path, secret="hex:" + "00" * 32)
    with pytest.raises(ConfigurationWrong):
        opened(path, secret="hex:12")
    assert path.read_bytes() == before
    await opened(path).stop()
