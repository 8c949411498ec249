"""From a database file to an engine that can be started."""

from pathlib import Path
from typing import Final

import structlog

from jobengine.engine.clock import Clock
from jobengine.engine.local import LocalEngine
from jobengine.journal.journal import Journal
from jobengine.journal.keys import Secret
from jobengine.model.ledger import Ledger

_RECORD_BYTES: Final = 150  # of a job in the file, but for its content
_SKEW_MS: Final = 60 * 60 * 1000

log = structlog.get_logger(__name__)


def open_engine(
    path: Path,
    secret: str,
    *,
    bytes_limit: int | None = None,
    compact_above_bytes: int,
    compact_live_ratio: float,
) -> LocalEngine:
    """Recover the file, or make it; write it anew when most of it is of no use any more.

    Blocks: belongs on a thread. Raises ConfigurationWrong for a malformed secret, Locked, WrongSecret,
    Damaged, InputOutputFailed.
    """
    key = Secret.parse(secret)
    ledger, journal = _recover(path, key)
    ledger.index()
    live_bytes = _live_bytes(ledger)
    if journal.worth_compacting(live_bytes, above_bytes=compact_above_bytes, live_ratio=compact_live_ratio):
        size = journal.size
        if journal.compact(ledger.snapshot(), live_bytes=live_bytes):
            del ledger  # two of them may be more than the machine has memory for
            ledger, journal = _recover(path, key)
            ledger.index()
            log.info("compacted", bytes_before=size, bytes_after=journal.size)
        else:
            log.warning("not_compacted", reason="the disk has no room for a second file", bytes=size)
    ledger.bytes_limit = bytes_limit
    clock = Clock(at_least=journal.last_time)
    _warn_of_skew(clock.now() - Clock().now())
    return LocalEngine(ledger, journal, clock)


def _recover(path: Path, secret: Secret) -> tuple[Ledger, Journal]:
    ledger = Ledger()
    journal = Journal.open(path, secret, replay=ledger.replay)
    for warning in journal.report.warnings:
        log.warning("recovered", what=warning)
    return ledger, journal


def _live_bytes(ledger: Ledger) -> int:
    """About how much of the file is still in use."""
    totals = ledger.totals
    return totals.jobs * _RECORD_BYTES + totals.content_bytes + totals.blob_bytes


def _warn_of_skew(ahead_ms: int) -> None:
    if ahead_ms > _SKEW_MS:
        log.warning(
            "clock_ahead", seconds=ahead_ms // 1000, why="the newest record in the database is of that time"
        )
