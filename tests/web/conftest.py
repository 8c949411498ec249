"""One real server for most tests of this room; each test has a queue of its own in it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from tests.support.connection import Connection
from tests.support.server import ServerProcess
from tests.support.service import Service

QUEUES_READY = 1000  # more than there are tests

RIGHTS = {"read": ["reader", "second-reader", "owner"], "write": ["writer", "owner"]}

StartServer = Callable[..., ServerProcess]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The server that most tests share. What fails inside it fails the run."""
    queues = {f"queue-{number}": RIGHTS for number in range(QUEUES_READY)}
    place = tmp_path_factory.mktemp("server")
    with ServerProcess(place, {"admin": ["ops"], "queues": queues}) as shared:
        yield shared
        assert shared.stop() == 0, shared.log
        assert "Traceback" not in shared.log
        assert not shared.events("request failed")


@pytest.fixture(scope="session")
def _queue_names() -> Iterator[str]:
    return (f"queue-{number}" for number in count())


@pytest.fixture
def queue(_queue_names: Iterator[str]) -> str:
    """A queue that no test has used."""
    return next(_queue_names)


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Starts a server of the test's own. What fails inside it fails the test."""
    with ExitStack() as running:
        started: list[ServerProcess] = []

        def start(configuration: Mapping[str, object] | None = None, **options: object) -> ServerProcess:
            own = ServerProcess(tmp_path, configuration, **options)  # type: ignore[arg-type]
            started.append(running.enter_context(own))
            return own

        yield start
        for own in started:
            assert "Traceback" not in own.log
            assert not own.events("request failed")


@pytest.fixture
def connection(server: ServerProcess) -> Iterator[Connection]:
    """A connection to the shared server."""
    with server.connect() as opened:
        yield opened


def _service_fixture(name: str) -> Callable[[ServerProcess, str], Iterator[Service]]:
    @pytest.fixture(name=name.replace("-", "_"))
    def service(server: ServerProcess, queue: str) -> Iterator[Service]:
        with server.service(name, queue) as opened:
            yield opened

    return service


reader = _service_fixture("reader")  # may read
second_reader = _service_fixture("second-reader")
writer = _service_fixture("writer")  # may write
owner = _service_fixture("owner")  # may do both
stranger = _service_fixture("stranger")  # may do nothing
ops = _service_fixture("ops")  # administers the server, and may do nothing with queues
