"""Queues that the API makes, changes and drops: each is a file, checked like one that somebody writes."""

import asyncio
import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import structlog
import yaml

from jobengine.errors import (
    BadState,
    ConfigurationWrong,
    JobEngineError,
    NotFound,
    OutcomeUnknown,
    Problem,
    StorageFull,
    Unavailable,
    ValidationFailed,
)
from jobengine.settings.dead_letters import LEADS_BACK, lead_back
from jobengine.settings.load import queue_directory, read_queue
from jobengine.settings.mistakes import Mistake, Mistakes
from jobengine.settings.option import NAME
from jobengine.settings.queue_files import (
    MARK,
    SUFFIX,
    QueueFile,
    remove_queue_file,
    write_queue_file,
)
from jobengine.settings.reader import is_name
from jobengine.settings.schema import QueueSettings, Settings
from jobengine.settings.watch import ConfigurationWatch

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})

log = structlog.get_logger(__name__)


class ApiQueues:
    """Writes the files of such queues. Nobody's own file is ever written to."""

    def __init__(self, configuration: Path, watch: ConfigurationWatch) -> None:
        self._configuration = configuration
        self._directory = queue_directory(configuration, watch.settings)
        self._watch = watch

    async def put(self, name: str, settings: Mapping[str, Any]) -> bool:
        """Make a queue, or change one that was made so. Whether it is new.

        Raises ValidationFailed with all that is wrong, BadState, StorageFull, Unavailable.
        """
        if not is_name(name):
            raise ValidationFailed(f"a queue's name must be {NAME.expected}")
        async with self._watch.one_at_a_time:
            running = self._watch.settings
            others = [queue for queue in running.queues if queue.name != name]
            self._check_is_ours(name, running)
            file = await asyncio.to_thread(_written, self._path(name), settings)
            queue = await asyncio.to_thread(_checked, file, running)
            settings_then = running.with_queues([*others, queue])
            _check_dead_letters(name, settings_then)
            await self._store(name, file, settings_then)
        return len(others) == len(running.queues)

    async def drop(self, name: str) -> None:
        """Drop a queue that was made so, with its jobs.

        Raises NotFound, BadState, StorageFull, Unavailable.
        """
        async with self._watch.one_at_a_time:
            running = self._watch.settings
            dropped = _named(running, name)
            self._check_is_ours(name, running)
            left = [queue for queue in running.queues if queue != dropped]
            if any(queue.dead_letter == name for queue in left):
                raise BadState("another queue names this one as its dead_letter: change that first")
            await self._store(name, None, running.with_queues(left))

    def _check_is_ours(self, name: str, running: Settings) -> None:
        """Raises BadState for a queue that somebody wrote down."""
        if any(queue.name == name and not queue.is_made_by_api for queue in running.queues):
            raise BadState("this queue stands in the configuration: change it there")
        present = self._read(name)
        if present is not None and not present.is_made_by_api:
            raise BadState("somebody wrote a file for this queue, which has not been taken up: see the log")

    async def _store(self, name: str, file: QueueFile | None, settings: Settings) -> None:
        """Put the file there, or take it away, and let these settings hold; or leave all as it was."""
        before = self._read(name)
        await asyncio.to_thread(self._write, name, file)
        try:
            await self._watch.take_up(settings)
        except OutcomeUnknown:
            raise  # the next start sees
        except JobEngineError:
            await asyncio.to_thread(self._write, name, before)
            raise

    def _read(self, name: str) -> QueueFile | None:
        path = self._path(name)
        with _system_errors(path):
            return QueueFile(path, path.read_bytes()) if path.exists() else None

    def _write(self, name: str, file: QueueFile | None) -> None:
        path = self._path(name)
        with _system_errors(path):
            if file is None:
                remove_queue_file(path)
            else:
                write_queue_file(file, like=self._configuration)

    def _path(self, name: str) -> Path:
        return self._directory / f"{name}{SUFFIX}"


@contextmanager
def _system_errors(path: Path) -> Iterator[None]:
    """Raises StorageFull or Unavailable where the system refuses. Where that was is for the log only."""
    try:
        yield
    except OSError as error:
        log.error("queue_file_refused", path=str(path), reason=error.strerror)
        if error.errno in _NO_ROOM:
            raise StorageFull("the disk of the configuration has no room; nothing was changed") from error
        raise Unavailable(
            f"the server cannot use its config_dir ({error.strerror}, see its log); nothing was changed"
        ) from error


def _named(settings: Settings, name: str) -> QueueSettings:
    for queue in settings.queues:
        if queue.name == name:
            return queue
    raise NotFound


def _written(path: Path, settings: Mapping[str, Any]) -> QueueFile:
    return QueueFile(path, MARK + yaml.safe_dump(dict(settings), sort_keys=False).encode())


def _checked(file: QueueFile, running: Settings) -> QueueSettings:
    """What the file says. Raises ValidationFailed with all that is wrong."""
    names = {queue.name for queue in running.queues} | {file.name}
    mistakes = Mistakes(file.name)
    try:
        return read_queue(file, running, names, environment={}, mistakes=mistakes)
    except ConfigurationWrong:
        problems = tuple(map(_problem, mistakes.found))
        details = "; ".join(": ".join(filter(None, (each.pointer[1:], each.detail))) for each in problems)
        raise ValidationFailed(details or "too much, or nested too deeply", errors=problems) from None


def _check_dead_letters(name: str, settings: Settings) -> None:
    """Raises ValidationFailed."""
    if lead_back({queue.name: queue.dead_letter for queue in settings.queues}, name):
        raise ValidationFailed(f"dead_letter: {LEADS_BACK}", errors=(Problem("/dead_letter", LEADS_BACK),))


def _problem(mistake: Mistake) -> Problem:
    steps = (step.replace("~", "~0").replace("/", "~1") for step in mistake.place)
    return Problem("".join(f"/{step}" for step in steps), mistake.untold)
