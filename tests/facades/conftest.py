"""A server with the routes of all older systems. It runs nothing itself: tests are its workers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.connection import Connection
from tests.support.ports import free_port
from tests.support.server import ServerProcess

JSON = {"Content-Type": "application/json"}
PASSWORD = "open sesame"

QUEUES: dict[str, Any] = {
    "bundles": {"run": {"type": "bundle", "workers": 0}},
    "slurm": {"run": {"type": "slurm", "workers": 0}},
    "payloads": {"run": {"type": "payload", "command": "/bin/cat", "workers": 0}},
    "programs": {"run": {"type": "shell", "workers": 0, "command_length": 100}},
    "classes": {
        "run": {
            "type": "python",
            "workers": 0,
            "classes": {
                "Simple": "jobengine.work.examples:Simple",
                "Export": "jobengine.work.examples:Export",
            },
        }
    },
}


def configuration(jobrunner_port: int) -> dict[str, Any]:
    """All of them, each with a queue."""
    return {
        "facades": {
            "jobd": {"queue": "bundles", "slurm_queue": "slurm", "service": "old"},
            "jobrunner": {
                "queue": "payloads",
                "service": "old",
                "port": jobrunner_port,
                "password": PASSWORD,
            },
            "linux_job_worker": {"queue": "programs", "service": "old"},
            "job_manager": {"queue": "classes", "service": "old"},
        },
        "queues": {
            name: {"read": ["old", "worker"], "write": ["old", "worker"], **queue}
            for name, queue in QUEUES.items()
        },
    }


class Old:
    """A server, and the ports of its routes."""

    def __init__(self, place: Path) -> None:
        self.jobrunner_port = free_port()
        self.server = ServerProcess(place, configuration(self.jobrunner_port))

    def worker(self, queue: str) -> Api:
        """Who does the jobs of a queue."""
        return Api(self.server, "worker", queue)


@pytest.fixture(scope="session")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Old]:
    """The one that all tests share. What fails inside it fails the run."""
    shared = Old(tmp_path_factory.mktemp("old"))
    with shared.server:
        yield shared
        assert shared.server.stop() == 0, shared.server.log
        assert "Traceback" not in shared.server.log
        assert not shared.server.events("request failed")


@pytest.fixture
def client(old: Old) -> Iterator[Connection]:
    """Somebody who knows nothing of this broker."""
    with old.server.connect() as opened:
        yield opened


@pytest.fixture
def jobrunner_client(old: Old) -> Iterator[Connection]:
    """Somebody who asks where jobrunner was."""
    with Connection(old.jobrunner_port) as opened:
        yield opened
