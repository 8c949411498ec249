"""What the configuration says of queues and rights, handed to those who keep to it."""

from typing import Final

import structlog

from jobengine.access import Access, QueueRights
from jobengine.engine.interface import Engine
from jobengine.model.commands import Configure
from jobengine.model.queue import Queue
from jobengine.settings.schema import OnExpire, QueueSettings, Settings

MINUTE_MS: Final = 60_000

log = structlog.get_logger(__name__)


class Policy:
    """Puts settings into force, and knows what they would cost."""

    def __init__(self, engine: Engine, access: Access, started_with: Settings) -> None:
        self._engine = engine
        self._access = access
        self.applied = started_with

    async def apply(self, settings: Settings) -> None:
        """Let these be the queues and the rights. Raises StorageFull; then all is as it was."""
        configured = await self._engine.submit(Configure(tuple(map(_queue, settings.queues))))
        rights = {queue.name: QueueRights(queue.read, queue.write, queue.admin) for queue in settings.queues}
        self._access.configure(rights, settings.admin)
        self.applied = settings
        for name in configured.added:
            log.info("queue_added", queue=name)
        for name in configured.changed:
            log.info("queue_changed", queue=name)
        for name, jobs in configured.dropped.items():
            log.warning("queue_dropped", queue=name, jobs=jobs)

    def drops_jobs(self, settings: Settings) -> bool:
        """Whether jobs would be lost with queues that these settings do not name."""
        named = {queue.name for queue in settings.queues}
        return any(any(queue.jobs.values()) for queue in self._engine.status() if queue.name not in named)

    def api_queues_with_jobs(self) -> list[str]:
        """The queues that were made by the API, and have jobs."""
        return [
            status.name
            for status in self._engine.status()
            if status.queue.is_made_by_api and any(status.jobs.values())
        ]


def _queue(settings: QueueSettings) -> Queue:
    return Queue(
        name=settings.name,
        keep=round(settings.job_keep_minutes * MINUTE_MS),
        lease=round(settings.job_timeout_minutes * MINUTE_MS),
        max_attempts=settings.max_attempts,
        backoff=settings.backoff,
        error_rules=settings.errors,
        dead_letter=settings.dead_letter,
        keeps_expired=settings.on_expire is OnExpire.FAIL,
        max_jobs=settings.max_jobs,
        max_bytes=settings.max_bytes,
        when_full=settings.when_full,
        is_paused=settings.paused,
        log_bytes=settings.log_bytes,
        keep_logs=settings.keep_logs,
        is_made_by_api=settings.is_made_by_api,
    )
