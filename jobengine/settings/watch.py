"""Takes up edits of the configuration while the server runs."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import aclosing
from operator import attrgetter
from pathlib import Path
from typing import Final

import structlog
from msgspec import Struct
from watchfiles import Change, awatch

from jobengine.errors import ConfigurationWrong, JobEngineError
from jobengine.settings.environment import DATABASE_SUFFIX
from jobengine.settings.load import join, parse, queue_directory
from jobengine.settings.options import OPTIONS
from jobengine.settings.queue_files import QueueFile, QueueFiles, check_is_there, read_queue_files
from jobengine.settings.schema import Settings
from jobengine.settings.snapshot import Snapshot, read

STILL_SECONDS: Final = 5.0
# A file that is mounted into a container, or comes over a network, may change without anybody being told.
LOOK_ANYWAY_SECONDS: Final = 5.0
GATHER_MILLISECONDS: Final = 100  # edits come in several steps

log = structlog.get_logger(__name__)


def _is_no_database(_change: Change, path: str) -> bool:
    """Whether a changed file may be the configuration: the database beside it changes all the time."""
    return DATABASE_SUFFIX not in path


class Written(Struct, frozen=True):
    """The file, and those of the queues that have their own, as they were at one moment."""

    file: Snapshot
    held: QueueFiles

    @property
    def changed(self) -> float:
        """When they came to be so, in seconds since the epoch."""
        return max(self.file.changed, self.held.changed)

    @property
    def said(self) -> tuple[bytes, tuple[QueueFile, ...], bool]:
        """What they say, whenever that was written."""
        return self.file.data, self.held.files, self.held.is_there


class ConfigurationWatch:
    """Hands every good edit of the files to `apply`; a bad one changes nothing and is logged once.

    An edit by which jobs would be lost (`drops_jobs`) waits until the files have been still for
    `STILL_SECONDS`: an editor that truncates and writes leaves files that are right, and too short.
    Where the directory of the queues with files is not there at all, those of the API that have jobs
    (`api_queues_with_jobs`) are not lost: that is refused.
    """

    def __init__(
        self,
        path: Path,
        settings: Settings,
        *,
        environment: Mapping[str, str],
        apply: Callable[[Settings], Awaitable[None]],
        drops_jobs: Callable[[Settings], bool],
        api_queues_with_jobs: Callable[[], Collection[str]] = tuple,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._directory = queue_directory(path, settings)
        self._started_with = settings
        self._settings = settings
        self._environment = environment
        self._apply = apply
        self._drops_jobs = drops_jobs
        self._api_queues_with_jobs = api_queues_with_jobs
        self._sleep = sleep
        self._now = now
        self._seen: object = None  # what the files said when last looked at; None: they could not be read
        self.one_at_a_time = asyncio.Lock()  # nothing is taken up while somebody else holds it
        self._watching: asyncio.Task[None] | None = None

    @property
    def settings(self) -> Settings:
        """What holds now."""
        return self._settings

    async def start(self) -> None:
        """Take up what the file says, and watch it from now on.

        Raises ConfigurationWrong, and what `apply` raises.
        """
        if self._watching is None:
            settings = await self.settled()
            await self._apply(settings)
            self._settings = settings
            self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Watch no more; an edit that is waiting is not taken up."""
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            await asyncio.wait([watching])  # not `await watching`: its end and the caller's look the same

    async def reload(self) -> None:
        """Take up what the file says now."""
        async with self.one_at_a_time:
            try:
                await self.take_up(await self.settled())
            except JobEngineError as refusal:
                log.error("configuration_refused", reasons=refusal.detail.splitlines())
                if not isinstance(refusal, ConfigurationWrong):
                    self._seen = None  # the disk refused it, not we: it is tried again

    async def look(self) -> None:
        """Take up what the files say if that is new."""
        try:
            said = (await asyncio.to_thread(self._read)).said
        except ConfigurationWrong:
            said = None
        if said != self._seen:
            await self.reload()

    async def settled(self) -> Settings:
        """What the files say, once they are sure to be whole or no jobs depend on it.

        Raises ConfigurationWrong.
        """
        before: Written | None = None
        while True:
            self._seen = None
            written = await asyncio.to_thread(self._read)
            self._seen = written.said
            settings = await asyncio.to_thread(self._parse, written)
            is_still = written == before or self._now() - written.changed >= STILL_SECONDS
            if is_still or not self._drops_jobs(settings):
                return settings
            log.warning("configuration_waits", why="queues with jobs would be dropped", seconds=STILL_SECONDS)
            before = written
            await self._sleep(STILL_SECONDS)

    async def _watch(self) -> None:
        async with asyncio.TaskGroup() as watches:
            watches.create_task(self._look_when_told())
            watches.create_task(self._look_anyway())

    async def _look_when_told(self) -> None:
        try:
            while True:
                await self._look_until_directories_change()
        except (OSError, RuntimeError) as error:  # as where the system has no watches left
            log.warning("configuration_not_watched", reason=str(error), instead="looked at now and then")

    async def _look_until_directories_change(self) -> None:
        directories = self._directories()
        changes = awatch(
            *directories, watch_filter=_is_no_database, step=GATHER_MILLISECONDS, recursive=False
        )
        async with aclosing(changes):
            async for _ in changes:
                await self.look()
                if self._directories() != directories:
                    return

    def _directories(self) -> set[Path]:
        # Editors put a new file in place of the old one, and so do links: watch what holds the file.
        directories = {self._path.parent, self._path.resolve().parent, self._directory}
        return {directory for directory in directories if directory.is_dir()}

    async def _look_anyway(self) -> None:
        while True:
            await asyncio.sleep(LOOK_ANYWAY_SECONDS)
            await self.look()

    async def take_up(self, settings: Settings) -> None:
        """Let these hold. Only for who holds `one_at_a_time`; raises what `apply` raises."""
        if settings == self._settings:
            log.debug("configuration_unchanged")
            return
        await self._apply(settings)
        self._settings = settings
        log.info("configuration_taken_up", queues=len(settings.queues))
        waiting = restart_needed(self._started_with, settings)
        if waiting:
            log.warning("configuration_needs_restart", options=waiting)

    def _read(self) -> Written:
        return Written(read(self._path), read_queue_files(self._directory))

    def _parse(self, written: Written) -> Settings:
        source = str(self._path)
        settings = parse(written.file.data, source=source, environment=self._environment)
        check_is_there(self._directory, written.held, self._api_queues_with_jobs())
        return join(settings, written.held, source=source, environment=self._environment)


def restart_needed(running: Settings, wanted: Settings) -> list[str]:
    """The options that differ and are taken up only by a restart."""
    return [
        option.path
        for option in OPTIONS
        if not option.live and attrgetter(option.path)(running) != attrgetter(option.path)(wanted)
    ]
