"""From a database file to an engine that can be started."""

from pathlib import Path
from typing import Final

import structlog

from jobengine.engine.clock import Clock
from jobengine.engine.local import LocalEngine
from jobengine.journal.files import REAL_FILES, Files
from jobengine.journal.journal import Journal
from jobengine.journal.keys import Secret
from jobengine.model.ledger import Ledger

_SKEW_MS: Final = 60 * 60 * 1000

log = structlog.get_logger(__name__)


def open_engine(
    path: Path,
    secret: str,
    *,
    files: Files = REAL_FILES,
    bytes_limit: int | None = None,
    keep_old_files: int = 0,
) -> LocalEngine:
    """Recover the file, or make it. Compactions leave so many of the files that they replace.

    Blocks: belongs on a thread. Raises ConfigurationWrong for a malformed secret, Locked, WrongSecret,
    Damaged, InputOutputFailed.
    """
    ledger = Ledger(bytes_limit=bytes_limit)
    opened = Secret.parse(secret)
    journal = Journal.open(path, opened, replay=ledger.replay, files=files, keep_old_files=keep_old_files)
    for warning in journal.report.warnings:
        log.warning("recovered", what=warning)
    ledger.index()
    clock = Clock(at_least=journal.last_time)
    _warn_of_skew(clock.now() - Clock().now())
    return LocalEngine(ledger, journal, clock)


def _warn_of_skew(ahead_ms: int) -> None:
    if ahead_ms > _SKEW_MS:
        log.warning(
            "clock_ahead", seconds=ahead_ms // 1000, why="the newest record in the database is of that time"
        )
