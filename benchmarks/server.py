"""The broker itself, started as a user starts it, with a key that needs no slow derivation."""

import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.client import Connection, request
from benchmarks.job import QUEUE, SERVICE
from benchmarks.processes import free_port, peak_resident_bytes, resident_bytes, started, wait_until

SECRET = "hex:" + "5e" * 32  # a database of the benchmarks holds nothing worth a secret

# A lease and a keeping time longer than any measurement.
CONFIGURATION = f"""\
version: 1
job_keep_minutes: 600
job_timeout_minutes: 600
admin: [{SERVICE}]
queues:
  {QUEUE}:
    read: [{SERVICE}]
    write: [{SERVICE}]
"""


@dataclass(frozen=True)
class Server:
    """A running broker."""

    port: int
    pid: int
    start_seconds: float  # from the first instruction to being ready

    @property
    def resident(self) -> int:
        """Bytes of memory in use."""
        return resident_bytes(self.pid)

    @property
    def peak_resident(self) -> int:
        """The most bytes of memory that were in use."""
        return peak_resident_bytes(self.pid)

    def queued(self) -> int:
        """How many jobs wait, by the broker's own count; those expired and not swept are among them."""
        with Connection(self.port) as connection:
            metrics = connection.expect(200, request("GET", "/metrics")).decode()
        lines = [line for line in metrics.splitlines() if line.startswith("jobengine_jobs{")]
        line = next(line for line in lines if 'state="queued"' in line and f'queue="{QUEUE}"' in line)
        return int(float(re.split(r"\s+", line)[1]))


@contextmanager
def serving(database: Path, *, more: str = "") -> Iterator[Server]:
    """The broker on this database while the block runs; made when there is none.

    `more` is added to the configuration, at the end of its queues.
    """
    configuration = database.with_suffix(".yml")
    configuration.write_text(CONFIGURATION + more)
    port, log = free_port(), database.with_suffix(".log")
    command = [sys.executable, "-m", "jobengine", "serve", "--config", str(configuration)]
    command += ["--db", str(database), "--port", str(port)]
    begun = time.monotonic()
    with started(command, log=log, environment={"SECRET": SECRET, "LOG_LEVEL": "warning"}) as process:
        wait_until(lambda: _ready(port), process, log=log)
        yield Server(port, process.pid, time.monotonic() - begun)


def _ready(port: int) -> bool:
    try:
        with Connection(port) as connection:
            return connection.ask(request("GET", "/readyz"))[0] == 200
    except (OSError, RuntimeError):
        return False


def copy_database(source: Path, target: Path) -> Path:
    """A copy of a database that no server has open, with what stands beside it. Gives back the target."""
    for beside in ("", ".anchor"):
        shutil.copyfile(f"{source}{beside}", f"{target}{beside}")
        # What is written back later must not fall into the time that is measured.
        with Path(f"{target}{beside}").open("rb") as copied:
            os.fsync(copied.fileno())
    return target
