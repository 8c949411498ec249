"""Under which conditions the programs of a queue run: as whom, where, with what, and within which limits."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from jobengine.errors import ConfigurationWrong
from jobengine.settings.memory import MEBIBYTE
from jobengine.settings.run import RunSettings, SandboxKind
from jobengine.work.spawner.limits import Limits
from jobengine.work.spawner.sandbox import bubblewrap, enclosed
from jobengine.work.spawner.user import User, user_for

# Who starts the programs is held to the limits itself.
MEMORY_LEAST: Final = 64 * MEBIBYTE
FILES_LEAST: Final = 32
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Conditions(Struct, frozen=True, kw_only=True):
    """What holds for all programs of a queue."""

    user: User | None  # None: as the worker itself
    bubblewrap: Path | None  # None: no sandbox
    parent: Path | None  # of the directories that they run in; None is the system's own for that
    environment: dict[str, str]  # of all of them
    names: frozenset[str]  # of the environment, which a job may set itself
    limits: Limits
    grace_seconds: float
    log_bytes: int

    @classmethod
    def of(
        cls, settings: RunSettings, own: Mapping[str, str], *, directory: str | None, log_bytes: int
    ) -> "Conditions":
        """From a queue's settings and the worker's own environment. Raises ConfigurationWrong."""
        if settings.memory is not None and settings.memory < MEMORY_LEAST:
            raise ConfigurationWrong("run.memory: 64 MiB is the least with which a program can be started")
        if settings.files < FILES_LEAST:
            raise ConfigurationWrong(
                f"run.files: {FILES_LEAST} is the least with which a program can be started"
            )
        is_sandboxed = settings.sandbox is SandboxKind.BUBBLEWRAP
        passed = {name: own[name] for name in settings.pass_environment if name in own}
        return cls(
            user=user_for(settings.user, is_sandboxed=is_sandboxed),
            bubblewrap=bubblewrap() if is_sandboxed else None,
            parent=None if directory is None else Path(directory),
            environment={"PATH": PATH, "LANG": "C.UTF-8", **passed, **settings.environment},
            names=frozenset((*settings.pass_environment, *settings.environment)),
            limits=_limits(settings),
            grace_seconds=settings.grace / 1000,
            log_bytes=log_bytes,
        )

    def environment_in(self, directory: Path) -> dict[str, str]:
        """All that a program is told. In a sandbox /tmp is its own, so there it is for what is temporary."""
        temporary = str(directory) if self.bubblewrap is None else "/tmp"  # noqa: S108
        return {"HOME": str(directory), "TMPDIR": temporary, **self.environment}

    def enclose(self, argv: tuple[str, ...], directory: Path | None) -> tuple[str, ...]:
        """The arguments as they are started."""
        return argv if self.bubblewrap is None else enclosed(self.bubblewrap, argv, directory)


def _limits(settings: RunSettings) -> Limits:
    return Limits(
        cpu_seconds=None if settings.cpu is None else -(-settings.cpu // 1000),
        memory_bytes=settings.memory,
        file_bytes=settings.file_size,
        open_files=settings.files,
        processes=settings.processes,
    )
