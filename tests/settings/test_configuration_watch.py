"""Edits while the server runs, made as editors and orchestrators make them. No clock is waited for."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import structlog
from structlog.testing import CapturingLogger

from jobengine.errors import ConfigurationWrong, StorageFull
from jobengine.settings.load import load
from jobengine.settings.schema import Settings
from jobengine.settings.watch import STILL_SECONDS, ConfigurationWatch, restart_needed

NO_QUEUES = "queues: {}\n"
MAIL = "queues:\n  mail: {read: [postman], write: [website]}\n"
MAIL_FOR_ALL = "queues:\n  mail: {read: ['*'], write: [website]}\n"
WRONG = "queues:\n  mail: {reed: [], read: [], write: []}\n"


class Broker:
    """Stands for the running server: takes settings, and has jobs in the queues that it is told of."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.taken: list[Settings] = []
        self.queues_with_jobs: set[str] = set()
        self.api_queues_with_jobs: set[str] = set()
        self.refusal: StorageFull | None = None
        self.now = path.stat().st_ctime
        self.while_asleep: list[Callable[[], object]] = []
        self.slept: list[float] = []
        self.changed = asyncio.Event()
        self.watch = ConfigurationWatch(
            path,
            load(path, {}),
            environment={},
            apply=self.apply,
            drops_jobs=self.drops_jobs,
            api_queues_with_jobs=lambda: self.api_queues_with_jobs,
            sleep=self.sleep,
            now=lambda: self.now,
        )

    async def apply(self, settings: Settings) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.taken.append(settings)
        self.changed.set()

    def drops_jobs(self, settings: Settings) -> bool:
        return not self.queues_with_jobs <= {queue.name for queue in settings.queues}

    async def sleep(self, seconds: float) -> None:
        """Whoever edits meanwhile does so now."""
        self.slept.append(seconds)
        if self.while_asleep:
            self.while_asleep.pop(0)()

    @property
    def queues(self) -> list[list[str]]:
        return [[queue.name for queue in settings.queues] for settings in self.taken]

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        await self.watch.start()
        self.taken.clear()
        self.changed.clear()
        await asyncio.to_thread(wait_until_watched, self.path.parent)
        yield
        await asyncio.wait_for(self.changed.wait(), 30)
        await self.watch.stop()


def wait_until_watched(directory: Path) -> None:
    """Until the system knows that this process wants to hear of changes in the directory."""
    inode = f"ino:{directory.stat().st_ino:x} "
    while not any(inode in text for text in descriptors()):
        os.sched_yield()


def descriptors() -> Iterator[str]:
    """What the system says of each file that this process has open."""
    for info in Path("/proc/self/fdinfo").iterdir():
        with suppress(OSError):  # closed meanwhile
            yield info.read_text()


@pytest.fixture
def log() -> CapturingLogger:
    return CapturingLogger()


@pytest.fixture(autouse=True)
def captured(log: CapturingLogger) -> Iterator[None]:
    structlog.configure(
        processors=[lambda _logger, _method, event: ((), event)], logger_factory=lambda *_: log
    )
    yield
    structlog.reset_defaults()


def events(log: CapturingLogger) -> list[str]:
    return [call.kwargs["event"] for call in log.calls if call.method_name != "debug"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.yml"
    path.write_text(NO_QUEUES)
    return path


# --- how a file changes ---


async def test_a_file_that_is_written_over_is_taken_up(path: Path) -> None:
    broker = Broker(path)
    async with broker.watching():
        path.write_text(MAIL)
    assert broker.queues == [["mail"]]


async def test_a_file_that_is_renamed_into_place_is_taken_up(path: Path, tmp_path: Path) -> None:
    broker = Broker(path)
    async with broker.watching():
        (tmp_path / "new").write_text(MAIL)
        (tmp_path / "new").rename(path)
    assert broker.queues == [["mail"]]


async def test_a_file_behind_links_that_are_swapped_is_taken_up(tmp_path: Path) -> None:
    for name, text in {"first": NO_QUEUES, "second": MAIL}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yml").write_text(text)
    (tmp_path / "data").symlink_to("first")
    path = tmp_path / "config.yml"
    path.symlink_to("data/config.yml")
    broker = Broker(path)
    async with broker.watching():
        (tmp_path / "data_new").symlink_to("second")
        (tmp_path / "data_new").rename(tmp_path / "data")
    assert broker.queues == [["mail"]]


async def test_a_file_that_is_removed_and_comes_back_is_taken_up(path: Path) -> None:
    broker = Broker(path)
    async with broker.watching():
        path.unlink()
        path.write_text(MAIL)
    assert broker.queues == [["mail"]]


async def test_stopping_ends_a_watch_at_once_and_twice_does_no_harm(path: Path) -> None:
    watch = Broker(path).watch
    await watch.start()
    await watch.start()
    await asyncio.wait_for(watch.stop(), 10)
    await watch.stop()


# --- what becomes of it ---


async def test_a_file_that_says_the_same_is_not_taken_up_again(path: Path) -> None:
    broker = Broker(path)
    path.write_text(f"# a comment\n{NO_QUEUES}")
    await broker.watch.look()
    await broker.watch.reload()
    assert broker.taken == []


async def test_a_bad_edit_changes_nothing_and_is_logged_once_with_its_reasons(
    path: Path, log: CapturingLogger
) -> None:
    broker = Broker(path)
    path.write_text(WRONG)
    await broker.watch.look()
    await broker.watch.look()
    assert broker.taken == []
    (call,) = [call for call in log.calls if call.method_name != "debug"]
    assert call.kwargs["reasons"] == [f'{path}:2: queues.mail: unknown key "reed" (did you mean "read"?)']


async def test_a_file_that_is_gone_changes_nothing_and_is_logged_once(
    path: Path, log: CapturingLogger
) -> None:
    broker = Broker(path)
    await broker.watch.look()
    path.unlink()
    await broker.watch.look()
    await broker.watch.look()
    assert broker.taken == []
    assert events(log) == ["configuration_refused"]


async def test_an_edit_that_is_put_right_is_taken_up(path: Path) -> None:
    broker = Broker(path)
    path.write_text(WRONG)
    await broker.watch.look()
    path.write_text(MAIL)
    await broker.watch.look()
    assert broker.queues == [["mail"]]


async def test_an_edit_that_the_broker_refuses_is_logged_and_tried_again_at_the_next_look(
    path: Path, log: CapturingLogger
) -> None:
    broker = Broker(path)
    broker.refusal = StorageFull("the disk has no room")
    path.write_text(MAIL)
    await broker.watch.look()
    assert events(log) == ["configuration_refused"]
    broker.refusal = None
    await broker.watch.look()
    assert broker.queues == [["mail"]]


async def test_options_that_need_a_restart_are_named(path: Path, log: CapturingLogger) -> None:
    broker = Broker(path)
    path.write_text(f"port: 1\nlimits: {{connections: 5}}\nadmin: [ops]\n{MAIL}")
    await broker.watch.look()
    assert log.calls[-1].kwargs["options"] == ["port", "limits.connections"]
    assert restart_needed(broker.taken[0], broker.taken[0]) == []


# --- jobs that would be lost ---


async def test_an_edit_that_drops_jobs_waits_until_the_file_was_still(
    path: Path, log: CapturingLogger
) -> None:
    path.write_text(MAIL)
    broker = Broker(path)
    broker.queues_with_jobs = {"mail"}
    path.write_text(NO_QUEUES)
    await broker.watch.look()
    assert broker.slept == [STILL_SECONDS]
    assert broker.queues == [[]]
    assert events(log) == ["configuration_waits", "configuration_taken_up"]


async def test_a_half_written_file_drops_nothing(path: Path) -> None:
    path.write_text(MAIL)
    broker = Broker(path)
    broker.queues_with_jobs = {"mail"}
    broker.while_asleep = [lambda: path.write_text(MAIL_FOR_ALL)]
    path.write_text(NO_QUEUES)
    await broker.watch.look()
    assert broker.queues == [["mail"]]


async def test_a_file_that_goes_on_changing_is_waited_for_again(path: Path) -> None:
    path.write_text(MAIL)
    broker = Broker(path)
    broker.queues_with_jobs = {"mail"}
    broker.while_asleep = [lambda: path.write_text(f"# still writing\n{NO_QUEUES}")]
    path.write_text(NO_QUEUES)
    await broker.watch.look()
    assert broker.slept == [STILL_SECONDS, STILL_SECONDS]
    assert broker.queues == [[]]


async def test_a_file_that_turns_wrong_while_waited_for_drops_nothing(
    path: Path, log: CapturingLogger
) -> None:
    path.write_text(MAIL)
    broker = Broker(path)
    broker.queues_with_jobs = {"mail"}
    broker.while_asleep = [lambda: path.write_text("queues:\n")]
    path.write_text(NO_QUEUES)
    await broker.watch.look()
    await broker.watch.look()
    assert broker.taken == []
    assert events(log) == ["configuration_waits", "configuration_refused"]


async def test_a_file_that_was_still_for_long_is_not_waited_for(path: Path) -> None:
    broker = Broker(path)
    broker.queues_with_jobs = {"mail"}
    broker.now += STILL_SECONDS
    await broker.watch.start()
    await broker.watch.stop()
    assert broker.queues == [[]]
    assert broker.slept == []


# --- the start ---


async def test_starting_takes_up_what_the_file_says_by_then(path: Path) -> None:
    broker = Broker(path)
    path.write_text(MAIL)
    await broker.watch.start()
    path.write_text(NO_QUEUES)
    await broker.watch.look()
    await broker.watch.stop()
    assert broker.queues == [["mail"], []]


async def test_starting_with_a_half_written_file_drops_nothing(path: Path) -> None:
    broker = Broker(path)
    broker.queues_with_jobs = {"mail"}
    broker.while_asleep = [lambda: path.write_text(MAIL)]
    await broker.watch.start()
    await broker.watch.stop()
    assert broker.queues == [["mail"]]


async def test_a_wrong_file_at_the_start_is_refused(path: Path) -> None:
    broker = Broker(path)
    path.write_text(WRONG)
    with pytest.raises(ConfigurationWrong):
        await broker.watch.start()
    assert broker.taken == []


# --- queues with files of their own ---

LETTERS = "read: []\nwrite: []\n"


async def test_a_file_of_a_queue_that_comes_and_goes_is_taken_up(path: Path) -> None:
    broker = Broker(path)
    async with broker.watching():
        (path.parent / "config.d").mkdir()
        (path.parent / "config.d" / "letters.yml").write_text(LETTERS)
    (path.parent / "config.d" / "letters.yml").unlink()
    await broker.watch.look()
    assert broker.queues == [["letters"], []]


async def test_a_file_in_the_directory_is_heard_of_at_once(path: Path) -> None:
    (path.parent / "config.d").mkdir()
    broker = Broker(path)
    await broker.watch.start()
    broker.taken.clear()
    broker.changed.clear()
    await asyncio.to_thread(wait_until_watched, path.parent / "config.d")
    (path.parent / "config.d" / "letters.yml").write_text(LETTERS)
    await asyncio.wait_for(broker.changed.wait(), 30)
    await broker.watch.stop()
    assert broker.queues == [["letters"]]


async def test_a_half_written_file_of_a_queue_changes_nothing(path: Path, log: CapturingLogger) -> None:
    (path.parent / "config.d").mkdir()
    broker = Broker(path)
    (path.parent / "config.d" / "letters.yml").write_text("read: []\n")
    await broker.watch.look()
    assert broker.taken == []
    (path.parent / "config.d" / "letters.yml").write_text(LETTERS)
    await broker.watch.look()
    assert broker.queues == [["letters"]]


async def test_a_file_that_is_gone_waits_when_its_queue_has_jobs(path: Path) -> None:
    file = path.parent / "config.d" / "letters.yml"
    file.parent.mkdir()
    file.write_text(LETTERS)
    broker = Broker(path)
    broker.now = file.stat().st_ctime
    broker.queues_with_jobs = {"letters"}
    broker.while_asleep = [lambda: file.write_text(LETTERS)]
    file.unlink()
    await broker.watch.look()
    assert broker.slept == [STILL_SECONDS]
    assert broker.queues == []


async def test_a_directory_that_is_gone_never_empties_the_queues_of_the_api(
    path: Path, log: CapturingLogger
) -> None:
    broker = Broker(path)
    broker.api_queues_with_jobs = {"letters"}
    await broker.watch.look()
    (call,) = log.calls
    (reason,) = call.kwargs["reasons"]
    assert reason.startswith(
        f"{path.parent / 'config.d'}: is not there, but queues of it have jobs (letters)"
    )
    (path.parent / "config.d").mkdir()
    path.write_text(MAIL)
    await broker.watch.look()
    assert broker.queues == [["mail"]]
