"""Takes up edits of the configuration while the server runs."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from operator import attrgetter
from pathlib import Path
from typing import Final

import structlog
from watchfiles import Change, awatch

from jobengine.errors import ConfigurationWrong, JobEngineError
from jobengine.settings.environment import DATABASE_SUFFIX
from jobengine.settings.load import Snapshot, parse, read
from jobengine.settings.options import OPTIONS
from jobengine.settings.schema import Settings

STILL_SECONDS: Final = 5.0
# A file that is mounted into a container, or comes over a network, may change without anybody being told.
LOOK_ANYWAY_SECONDS: Final = 5.0
GATHER_MILLISECONDS: Final = 100  # edits come in several steps

log = structlog.get_logger()


def _is_no_database(_change: Change, path: str) -> bool:
    """Whether a changed file may be the configuration: the database beside it changes all the time."""
    return DATABASE_SUFFIX not in path


class ConfigurationWatch:
    """Hands every good edit of the file to `apply`; a bad one changes nothing and is logged once.

    An edit by which jobs would be lost (`drops_jobs`) waits until the file has been still for
    `STILL_SECONDS`: an editor that truncates and writes leaves files that are right, and too short.
    """

    def __init__(
        self,
        path: Path,
        settings: Settings,
        *,
        environment: Mapping[str, str],
        apply: Callable[[Settings], Awaitable[None]],
        drops_jobs: Callable[[Settings], bool],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._started_with = settings
        self._settings = settings
        self._environment = environment
        self._apply = apply
        self._drops_jobs = drops_jobs
        self._sleep = sleep
        self._now = now
        self._seen: bytes | None = None  # what the file said when it was last looked at; None is no file
        self._one_at_a_time = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None

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
            with contextlib.suppress(asyncio.CancelledError):
                await watching

    async def reload(self) -> None:
        """Take up what the file says now."""
        async with self._one_at_a_time:
            try:
                await self._take_up(await self.settled())
            except JobEngineError as refusal:
                log.error("configuration_refused", reasons=refusal.detail.splitlines())
                if not isinstance(refusal, ConfigurationWrong):
                    self._seen = None  # the disk refused it, not we: it is tried again

    async def look(self) -> None:
        """Take up what the file says if that is new."""
        try:
            data = read(self._path).data
        except ConfigurationWrong:
            data = None
        if data != self._seen:
            await self.reload()

    async def settled(self) -> Settings:
        """What the file says, once it is sure to be whole or no jobs depend on it.

        Raises ConfigurationWrong.
        """
        before: Snapshot | None = None
        while True:
            snapshot = self._read()
            settings = await asyncio.to_thread(self._parse, snapshot)
            is_still = snapshot == before or self._now() - snapshot.changed >= STILL_SECONDS
            if is_still or not self._drops_jobs(settings):
                return settings
            log.warning("configuration_waits", why="queues with jobs would be dropped", seconds=STILL_SECONDS)
            before = snapshot
            await self._sleep(STILL_SECONDS)

    async def _watch(self) -> None:
        async with asyncio.TaskGroup() as watches:
            watches.create_task(self._look_when_told())
            watches.create_task(self._look_anyway())

    async def _look_when_told(self) -> None:
        # Editors put a new file in place of the old one, and so do links: watch what holds the file.
        directories = {self._path.parent, self._path.resolve().parent}
        try:
            async for _ in awatch(
                *directories, watch_filter=_is_no_database, step=GATHER_MILLISECONDS, recursive=False
            ):
                await self.look()
        except (OSError, RuntimeError) as error:  # as where the system has no watches left
            log.warning("configuration_not_watched", reason=str(error), instead="looked at now and then")

    async def _look_anyway(self) -> None:
        while True:
            await asyncio.sleep(LOOK_ANYWAY_SECONDS)
            await self.look()

    async def _take_up(self, settings: Settings) -> None:
        if settings == self._settings:
            log.debug("configuration_unchanged")
            return
        await self._apply(settings)
        self._settings = settings
        log.info("configuration_taken_up", queues=len(settings.queues))
        waiting = restart_needed(self._started_with, settings)
        if waiting:
            log.warning("configuration_needs_restart", options=waiting)

    def _read(self) -> Snapshot:
        self._seen = None
        snapshot = read(self._path)
        self._seen = snapshot.data
        return snapshot

    def _parse(self, snapshot: Snapshot) -> Settings:
        return parse(snapshot.data, source=str(self._path), environment=self._environment)


def restart_needed(running: Settings, wanted: Settings) -> list[str]:
    """The options that differ and are taken up only by a restart."""
    return [
        option.path
        for option in OPTIONS
        if not option.live and attrgetter(option.path)(running) != attrgetter(option.path)(wanted)
    ]
