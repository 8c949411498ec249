"""The settings, typed and checked. What each of them means, and may be, stands in options.py."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from jobengine.model.backoff import Backoff, ErrorRule
from jobengine.model.queue import WhenFull
from jobengine.settings.doors import FacadesSettings, TlsSettings
from jobengine.settings.memory import MEBIBYTE, machine_memory
from jobengine.settings.run import RunSettings, WorkSettings

EVERYONE: Final = "*"


class OnExpire(StrEnum):
    """What becomes of a job that waited past its end."""

    DELETE = "delete"
    FAIL = "fail"


class QueueSettings(Struct, frozen=True):
    """A queue as the configuration names it; `EVERYONE` in `read` or `write` is every service."""

    name: str
    read: frozenset[str]
    write: frozenset[str]
    job_keep_minutes: float = 60
    job_timeout_minutes: float = 10
    max_attempts: int = 1
    backoff: Backoff = Backoff()
    errors: tuple[ErrorRule, ...] = ()
    dead_letter: str | None = None
    max_jobs: int = 0
    max_bytes: int = 0
    when_full: WhenFull = WhenFull.REFUSE
    on_expire: OnExpire = OnExpire.DELETE
    paused: bool = False
    admin: frozenset[str] = frozenset()
    log_bytes: int = MEBIBYTE
    keep_logs: int = 50
    run: RunSettings = RunSettings()
    is_made_by_api: bool = False  # else somebody wrote it down


class DatabaseSettings(Struct, frozen=True):
    """When the database file is written anew, and how it and its disk are looked after."""

    compact_above_mib: int = 64
    compact_live_ratio: float = 0.5
    keep_old_files: int = 0
    reserve_mib: int = 64
    scrub_hours: float = 24
    scrub_mib_per_second: float = 8


class Limits(Struct, frozen=True):
    """What the door lets in, and for how long."""

    body_bytes: int = MEBIBYTE
    connections: int = 10_000
    header_seconds: float = 10
    body_seconds: float = 30
    idle_seconds: float = 75
    write_seconds: float = 60
    memory: int = field(default_factory=lambda: machine_memory() // 2)  # bytes


class MetricsSettings(Struct, frozen=True):
    """A listener of its own for /metrics; none without a port."""

    host: str = "127.0.0.1"
    port: int | None = None


class Settings(Struct, frozen=True):
    """The whole of the configuration."""

    version: int = 1
    host: str = "127.0.0.1"
    port: int = 6010
    admin: frozenset[str] = frozenset()
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    job_keep_minutes: float = 60  # these two are what a queue has that names none;
    job_timeout_minutes: float = 10  # each of `queues` already holds its own
    config_dir: str = "config.d"  # as seen from the directory of the configuration
    database: DatabaseSettings = DatabaseSettings()
    limits: Limits = field(default_factory=Limits)
    metrics: MetricsSettings = MetricsSettings()
    work: WorkSettings = WorkSettings()
    tls: TlsSettings = TlsSettings()
    facades: FacadesSettings = FacadesSettings()
    queues: tuple[QueueSettings, ...] = ()

    def with_queues(self, queues: Iterable[QueueSettings]) -> "Settings":
        """These settings with other queues, by their names: wherever each stands, the same are equal."""
        return replace(self, queues=tuple(sorted(queues, key=lambda queue: queue.name)))
