"""PostgreSQL as a queue, with FOR UPDATE SKIP LOCKED, load by its own pgbench."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.job import content
from benchmarks.peers.peer import Peer
from benchmarks.peers.peer_connections import CONNECTIONS
from benchmarks.processes import free_port, started, wait_until

REMARK = "SKIP LOCKED, a partial index, prepared statements, emptied between rounds; load by pgbench"

SCHEMA = """
CREATE TABLE jobs (
  id bigserial PRIMARY KEY,
  uid uuid NOT NULL DEFAULT gen_random_uuid(),
  priority int NOT NULL,
  state text NOT NULL DEFAULT 'queued',
  content json NOT NULL,
  created timestamptz NOT NULL DEFAULT now(),
  last_updated timestamptz NOT NULL DEFAULT now(),
  timeout_time timestamptz NOT NULL
);
CREATE INDEX ON jobs (priority DESC, id) WHERE state = 'queued';
"""
CREATE = f"""
\\set priority random(1, 100)
INSERT INTO jobs (priority, content, timeout_time)
VALUES (:priority, '{content()}', now() + interval '10 minutes') RETURNING id;
"""
CLAIM = """
UPDATE jobs SET state = 'inprogress', last_updated = now()
WHERE id = (SELECT id FROM jobs WHERE state = 'queued' ORDER BY priority DESC, id
            LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id AS claimed, uid, priority, state, content, created, last_updated, timeout_time"""
# A row that another session has just taken gives no job, now and then: `claimed` is 0 then.
LIFE = f"""
{CREATE}
\\set claimed 0
{CLAIM} \\aset
UPDATE jobs SET state = 'complete', last_updated = now() WHERE id = :claimed;
"""


def installed() -> bool:
    """Is it there?"""
    return bool(_programs()) and shutil.which("pgbench") is not None


@contextmanager
def serving_postgresql(directory: Path, operations: int) -> Iterator[Peer]:
    """PostgreSQL as a peer, while the block runs."""
    with postgresql_server(directory) as port:
        peer = PostgreSQL(directory, port, operations)
        peer.run(SCHEMA)
        yield peer


@contextmanager
def postgresql_server(directory: Path) -> Iterator[int]:
    """PostgreSQL with its own settings, all of which are durable, while the block runs: its port."""
    port, log, data = free_port(), directory / "log", directory / "data"
    user = _own(directory)
    setup = [f"{_programs()}/initdb", "--no-sync", "--auth", "trust", "--username", "bench", "-D", str(data)]
    subprocess.run(setup, check=True, capture_output=True, user=user, timeout=120)
    command = [f"{_programs()}/postgres", "-D", str(data), "-p", str(port), "-k", str(directory)]
    with started([*command, "-h", "127.0.0.1"], log=log, user=user) as process:
        wait_until(lambda: _accepts(port), process, log=log)
        yield port


class PostgreSQL:
    """A running PostgreSQL."""

    def __init__(self, directory: Path, port: int, operations: int) -> None:
        self._directory = directory
        self._where = ["-h", "127.0.0.1", "-p", str(port), "-U", "bench"]
        self._each = operations // CONNECTIONS

    def create(self) -> float:
        """INSERT."""
        return self._rate(CREATE)

    def claim(self) -> float:
        """UPDATE … SKIP LOCKED."""
        return self._rate(f"{CLAIM};") * self._share("inprogress")

    def live(self) -> float:
        """INSERT, UPDATE, UPDATE: a transaction each."""
        self.run("TRUNCATE jobs")
        rate = self._rate(LIFE) * self._share("complete")
        self.run("TRUNCATE jobs")
        return rate

    def run(self, statements: str) -> str:
        """Run SQL: what it prints."""
        command = ["psql", *self._where, "-XqAt", "--command", statements, "postgres"]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout

    def _share(self, state: str) -> float:
        """How many of the operations brought a job into this state."""
        done = int(self.run(f"SELECT count(*) FROM jobs WHERE state = '{state}'"))
        return done / (self._each * CONNECTIONS)

    def _rate(self, script: str) -> float:
        path = self._directory / "script.sql"
        path.write_text(script)
        command = ["pgbench", *self._where, "--no-vacuum", "--client", str(CONNECTIONS), "--jobs", "1"]
        command += [
            "--protocol",
            "prepared",
            "--transactions",
            str(self._each),
            "--file",
            str(path),
            "postgres",
        ]
        run = subprocess.run(command, capture_output=True, text=True, timeout=300)
        found = re.search(r"^tps = ([\d.]+) ", run.stdout, re.MULTILINE)
        if found is None or "number of failed transactions: 0 " not in run.stdout:
            raise RuntimeError(f"pgbench failed: {run.stdout + run.stderr}")
        return float(found[1])


def _programs() -> Path | None:
    """Where Debian keeps the programs of the newest version."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    return found[-1] if found else None


def _own(directory: Path) -> str | None:
    """PostgreSQL refuses to run as root: hand the directory to the user that its package made."""
    if os.geteuid() != 0:
        return None
    shutil.chown(directory, "postgres")
    directory.parent.chmod(0o711)  # that user has to find its way
    return "postgres"


def _accepts(port: int) -> bool:
    command = [f"{_programs()}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    return subprocess.run(command, timeout=10).returncode == 0
