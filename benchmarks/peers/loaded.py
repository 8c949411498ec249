"""Brokers whose load comes from a client of loads/, which runs in the interpreter of the peers."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.peers.libraries import PYTHON, ROOT
from benchmarks.peers.peer import Peer
from benchmarks.processes import accepts, free_port, started, wait_until

FEWER = 4  # than the others: a round must not take minutes
NATS_REMARK = (
    "file store; Debian's 2.9 cannot sync before it answers: not as durable; no priorities; load in Python"
)
RABBITMQ_REMARK = (
    "quorum queue, persistent, publisher confirms; acks are not answered; no priorities; load in Python"
)


def nats_installed() -> bool:
    """Are the server and its client there?"""
    return shutil.which("nats-server") is not None and PYTHON.exists()


def rabbitmq_installed() -> bool:
    """Are the server and its client there?"""
    return Path("/usr/sbin/rabbitmq-server").exists() and PYTHON.exists()


@contextmanager
def serving_nats(directory: Path, operations: int) -> Iterator[Peer]:
    """NATS with JetStream, while the block runs."""
    port, log = free_port(), directory / "log"
    command = ["nats-server", "--addr", "127.0.0.1", "--port", str(port)]
    with started([*command, "--jetstream", "--store_dir", str(directory)], log=log) as process:
        wait_until(lambda: accepts(port), process, log=log)
        yield Loaded("nats", port, operations)


@contextmanager
def serving_rabbitmq(directory: Path, operations: int) -> Iterator[Peer]:
    """RabbitMQ, a node by itself with a port mapper of its own, while the block runs."""
    port, log = free_port(), directory / "log"
    mapper = free_port()
    environment = {
        "HOME": str(directory),
        "RABBITMQ_NODENAME": f"bench{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
        "RABBITMQ_LOG_BASE": str(directory),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "enabled_plugins"),
        "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq"),
        "RABBITMQ_PID_FILE": str(directory / "pid"),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(mapper),
    }
    server = sorted(Path("/usr/lib/rabbitmq").glob("lib/rabbitmq_server-*/sbin/rabbitmq-server"))[-1]
    # RabbitMQ would start one that outlives it.
    with (
        started(["epmd", "-address", "127.0.0.1", "-port", str(mapper)], log=log) as mapping,
        started([str(server)], log=log, environment=environment) as process,
    ):
        wait_until(lambda: accepts(mapper), mapping, log=log)
        wait_until(lambda: accepts(port), process, log=log)
        yield Loaded("rabbitmq", port, operations)


class Loaded:
    """A running broker, and the load for it."""

    def __init__(self, broker: str, port: int, operations: int) -> None:
        self._broker = broker
        self._port = port
        self._operations = max(32, operations // FEWER)

    def create(self) -> float:
        """Publish."""
        return self._rate("create")

    def claim(self) -> float:
        """Take one."""
        return self._rate("claim")

    def live(self) -> float:
        """Publish, take, acknowledge."""
        return self._rate("live")

    def _rate(self, step: str) -> float:
        command = [str(PYTHON), "-m", "benchmarks.peers.loads", self._broker, str(self._port), step]
        run = subprocess.run(
            [*command, str(self._operations)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=300,
        )
        if run.returncode:
            raise RuntimeError(f"the load of {self._broker} failed: {run.stderr[-2000:]}")
        return float(run.stdout.split()[-1])
