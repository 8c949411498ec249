"""A file system that is full, and has room again, under load. It is a small one in memory, made by root."""

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from tests.crash.checking import Checker
from tests.crash.client import QUEUE
from tests.crash.ledger import read_ledger
from tests.crash.load import Go
from tests.crash.operations import read_list
from tests.crash.rounds import AUDITOR, CONFIGURATION, LoadProcess
from tests.soak.part import Violation
from tests.support.server import ServerProcess

SIZE_MIB = 64
LEFT_BYTES = 300_000  # for the server itself to fill
FILLS = 3
FILL_TRIES = 100
RECOVERY_SECONDS = 5.0
PATIENCE_SECONDS = 30.0
REFUSED, CREATED = b'"status":507', b'"status":201'


@contextmanager
def small_file_system(place: Path) -> Iterator[Path]:
    """A directory on a file system of its own. Raises CalledProcessError for who may not mount."""
    mounted = place / "small"
    mounted.mkdir()
    try:
        with not_interrupted():  # else it may be mounted a moment later
            subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "jobengine-test", mounted],
                check=True,
                capture_output=True,
            )
        yield mounted
    finally:
        if mounted.is_mount():
            subprocess.run(["umount", "--lazy", mounted], check=True)


@contextmanager
def not_interrupted() -> Iterator[None]:
    """Who is told to stop meanwhile stops afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def fill_and_free(place: Path) -> Counter[str]:
    """Fill it and free it under load, then kill the server, and check. Raises Violation."""
    with small_file_system(place) as small:
        ledger, load = place / "ledger", LoadProcess()
        try:
            with _server(place, small) as server:
                load.go(Go(server.port, str(ledger), {}))
                for _ in range(FILLS):
                    _fill_and_free(small / "ballast", ledger)
                if server.process.poll() is not None or "Traceback" in server.log:
                    raise Violation(f"the full disk ended the server:\n{server.log}")
                server.kill()
                load.wait()
            return _check(_server(place, small), ledger)
        finally:
            load.end()


def pieces(place: Path) -> Iterator[Counter[str]]:
    """Again and again. Raises Violation."""
    for run in count():
        directory = place / str(run)
        directory.mkdir()
        yield fill_and_free(directory)


def _server(place: Path, small: Path) -> ServerProcess:
    """A server whose database is on the small file system, and nothing else of it."""
    server = ServerProcess(place, {**CONFIGURATION, "database": {"compact_above_mib": 1, "reserve_mib": 0}})
    server.database = small / "jobs.queuedb"
    return server


def _fill_and_free(ballast: Path, ledger: Path) -> None:
    refused = _told(ledger, REFUSED)
    _fill(ballast)
    _until(lambda: _told(ledger, REFUSED) > refused + 20, PATIENCE_SECONDS, "no 507 on a full disk")
    ballast.unlink()
    created = _told(ledger, CREATED)
    _until(lambda: _told(ledger, CREATED) > created, RECOVERY_SECONDS, "no job is taken, and there is room")


def _fill(ballast: Path) -> None:
    with ballast.open("wb") as file:
        for _ in range(FILL_TRIES):  # the server writes meanwhile
            status = os.statvfs(ballast.parent)
            with suppress(OSError):
                os.posix_fallocate(file.fileno(), 0, max(1, status.f_bavail * status.f_frsize - LEFT_BYTES))
                return


def _told(ledger: Path, text: bytes) -> int:
    return ledger.read_bytes().count(text) if ledger.exists() else 0


def _until(happened: Callable[[], bool], seconds: float, otherwise: str) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            raise Violation(otherwise)
        time.sleep(0.02)


def _check(server: ServerProcess, ledger: Path) -> Counter[str]:
    events = read_ledger(ledger)
    with server, server.service(AUDITOR, QUEUE) as auditor:
        jobs = read_list(auditor.ask("GET", "/api/v1/jobs").body)
        if wrong := Checker().check(events, jobs):
            raise Violation("\n".join(wrong[:10]))
    refused = sum(event.outcome is not None and event.outcome.status == 507 for event in events)
    return Counter({"disks": 1, "fills": FILLS, "operations": len(events), "refused with 507": refused})
