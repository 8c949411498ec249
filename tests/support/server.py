"""The real server, as a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support.connection import Connection
from tests.support.ports import free_port
from tests.support.service import Service

SECRET = "hex:" + "5a" * 32  # a key itself: nothing is to be derived from it, which would take half a second
START_SECONDS = 30.0
STOP_SECONDS = 5.0  # that the server has to end after SIGTERM

QUEUES = {"mail": {"read": ["reader", "owner"], "write": ["writer", "owner"]}}


class ServerProcess:
    """`python -m jobengine serve` on a free port, with its files in one directory."""

    def __init__(
        self,
        place: Path,
        configuration: Mapping[str, object] | None = None,
        *,
        before: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.port = free_port()
        self.configuration = place / "config.yml"
        self.database = place / "jobs.queuedb"
        self._log = place / "log"
        self._before = before  # the words of another program that starts it
        self._environment = _inherited() | {"SECRET": SECRET, "LOG_FORMAT": "json"} | dict(environment or {})
        if configuration is not None:
            self.configure(configuration)
        elif not self.configuration.exists():
            self.configure({})

    def __enter__(self) -> "ServerProcess":
        try:
            self.start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def configure(self, configuration: Mapping[str, object]) -> None:
        """Write the configuration, `QUEUES` in it when it names no others. JSON is YAML too."""
        new = self.configuration.with_suffix(".new")
        new.write_text(json.dumps({"queues": QUEUES, **configuration}))
        new.rename(self.configuration)

    def launch(self) -> None:
        """Start the process, and do not wait for it."""
        command = [sys.executable, "-m", "jobengine", "serve"]
        files = ["--config", str(self.configuration), "--db", str(self.database), "--port", str(self.port)]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self._before, *command, *files], env=self._environment, stdout=log, stderr=log
            )

    def start(self) -> None:
        """Start it, and wait until it serves."""
        started = len(self.events("serving"))
        self.launch()
        deadline = time.monotonic() + START_SECONDS
        while len(self.events("serving")) == started:
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.01)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.send(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """The exit code, which has to come soon."""
        return self.process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """SIGKILL."""
        with suppress(ProcessLookupError):  # one that was asked to stop may have done so
            self.send(signal.SIGKILL)
        self.process.wait()

    def _end(self) -> None:
        if self.process.poll() is None:
            self.kill()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the server, whatever program started it."""
        os.kill(self.server_pid, number)

    @property
    def server_pid(self) -> int:
        """Of the server itself."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        if not self._before or not (pids := children.read_text().split()):
            return self.process.pid
        return int(pids[0])

    @property
    def log(self) -> str:
        """All that it said, in all its starts."""
        return self._log.read_text() if self._log.exists() else ""

    def lines(self) -> list[dict[str, Any]]:
        """All whole lines of the log that are JSON."""
        whole = [line for line in self.log.splitlines(keepends=True) if line.endswith("}\n")]
        return [json.loads(line) for line in whole if line.startswith("{")]

    def events(self, name: str) -> list[dict[str, Any]]:
        """The events of this name in the log."""
        return [line for line in self.lines() if line["event"] == name]

    def wait_for(self, event: str, *, seconds: float = 10.0) -> dict[str, Any]:
        """The first such event of the log, which has to come soon."""
        deadline = time.monotonic() + seconds
        while not (found := self.events(event)):
            assert time.monotonic() < deadline, self.log
            time.sleep(0.01)
        return found[0]

    def connect(self, **options: Any) -> Connection:
        """A new connection to it."""
        return Connection(self.port, **options)

    def service(self, name: str, queue: str = "mail") -> Service:
        """A new connection, in the name of a service."""
        return Service(self.port, name, queue)

    def resident_bytes(self) -> int:
        """The memory that it takes."""
        status = Path(f"/proc/{self.server_pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:"))


def _inherited() -> dict[str, str]:
    names = ("PATH", "HOME", "LANG", "PYTHONPATH", "COVERAGE_PROCESS_START")
    project = str(Path(__file__).parents[2])
    return {name: os.environ[name] for name in names if name in os.environ} | {"PYTHONPATH": project}
