"""What the running engine is asked, and what it answers."""

from pathlib import Path

import pytest

from jobengine.control.desk import Desk, bytes_written
from jobengine.control.plan import Edit, plan
from jobengine.control.protocol import Compact, Info, Plan, Rekey, Serving
from jobengine.engine.local import LocalEngine
from jobengine.engine.opening import open_engine
from jobengine.errors import ConfigurationWrong, Damaged, WrongSecret
from jobengine.model.commands import Configure
from jobengine.settings.schema import Settings
from tests.support.brokers import MAIL, MINUTE_MS
from tests.support.commands import create

SECRET = "hex:" + "5a" * 32
NEW_SECRET = "hex:" + "a5" * 32


class Running:
    """An engine on a real file, and the desk before it."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self.engine: LocalEngine = open_engine(database, SECRET)
        self.desk = Desk(self.engine, database, plan=_plan)

    async def __aenter__(self) -> "Running":
        self.engine.start(on_failure=lambda _: None)
        await self.engine.submit(Configure((MAIL,)))
        for _ in range(100):
            await self.engine.submit(create("mail", b"{}", 50, MINUTE_MS))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.engine.stop()


def _plan(wanted: Settings) -> Edit:
    return plan(started_with=Settings(), running=Settings(), wanted=wanted, jobs={})


async def jobs_under(database: Path, secret: str) -> int:
    """How many jobs the file holds for whoever has this SECRET."""
    engine = open_engine(database, secret)
    engine.start(on_failure=lambda _: None)
    await engine.stop()
    return sum(sum(queue.jobs.values()) for queue in engine.status())


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "jobs.queuedb"


async def test_a_compaction_is_told_in_figures(database: Path) -> None:
    async with Running(database) as running:
        before = running.engine.file_bytes()
        compacted = await running.desk.answer(Compact())
        assert (compacted.bytes_before, compacted.bytes_after) == (before, database.stat().st_size)
        assert compacted.bytes_after < before
    assert await jobs_under(database, SECRET) == 100


async def test_after_a_rekey_only_the_new_secret_opens_the_file(database: Path) -> None:
    async with Running(database) as running:
        await running.desk.answer(Rekey(SECRET, NEW_SECRET))
        await running.engine.submit(create("mail", b"{}", 50, MINUTE_MS))
    with pytest.raises(WrongSecret):
        open_engine(database, SECRET)
    assert await jobs_under(database, NEW_SECRET) == 101


async def test_the_next_rekey_is_proved_with_the_secret_that_holds_by_then(database: Path) -> None:
    async with Running(database) as running:
        await running.desk.answer(Rekey(SECRET, NEW_SECRET))
        with pytest.raises(WrongSecret):
            await running.desk.answer(Rekey(SECRET, NEW_SECRET))
        await running.desk.answer(Rekey(NEW_SECRET, SECRET))
    assert await jobs_under(database, SECRET) == 100


@pytest.mark.parametrize(
    ("question", "refusal"),
    [
        (Rekey(NEW_SECRET, NEW_SECRET), WrongSecret),
        (Rekey("a passphrase", NEW_SECRET), WrongSecret),
        (Rekey(SECRET, ""), ConfigurationWrong),
        (Rekey(SECRET, "hex:12"), ConfigurationWrong),
    ],
)
async def test_a_refused_rekey_changes_nothing(
    database: Path, question: Rekey, refusal: type[Exception]
) -> None:
    async with Running(database) as running:
        before = database.read_bytes()
        with pytest.raises(refusal):
            await running.desk.answer(question)
        assert database.read_bytes() == before
    assert await jobs_under(database, SECRET) == 100


async def test_a_damaged_header_is_told_as_such(database: Path) -> None:
    async with Running(database) as running:
        whole = database.read_bytes()
        database.write_bytes(bytes(8192) + whole[8192:])
        with pytest.raises(Damaged):
            await running.desk.answer(Rekey(SECRET, NEW_SECRET))
        database.write_bytes(whole)


async def test_a_plan_reads_the_configuration_as_the_server_would(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READER", "postman")
    async with Running(database) as running:
        text = "queues: {mail: {read: ['${READER}'], write: []}}"
        edit = await running.desk.answer(Plan(text, "config.yml"))
        assert edit.added == ("mail",)
        with pytest.raises(ConfigurationWrong, match=r"edited\.yml:1: "):
            await running.desk.answer(Plan("quees: {}", "edited.yml"))


async def test_who_serves_is_told_with_the_sequence_of_the_last_commit(database: Path) -> None:
    async with Running(database) as running:
        first = await running.desk.answer(Info())
        await running.engine.submit(create("mail", b"{}", 50, MINUTE_MS))
        second = await running.desk.answer(Info())
    assert isinstance(first, Serving)
    assert first.database == str(database)
    assert (second.sequence, second.pid) == (first.sequence + 1, first.pid)


def test_how_far_a_new_file_has_come_is_its_size(database: Path) -> None:
    assert bytes_written(database) == 0
    database.with_name("jobs.queuedb.new").write_bytes(bytes(300))
    assert bytes_written(database) == 300
