"""JobEngine, as its peers: over HTTP, by wrk."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.fill import fill
from benchmarks.load import load
from benchmarks.peers.peer import Peer
from benchmarks.server import Server, serving

REMARK = "HTTP and JSON; encrypted; load by wrk"
OPERATIONS_A_SECOND = 10_000  # about; the others are given a number of operations, wrk a time
QUEUED = 400_000  # so that no claim finds the queue empty


class Ours:
    """The broker of this repository."""

    def __init__(self, server: Server, seconds: float) -> None:
        self._server = server
        self._seconds = seconds

    def create(self) -> float:
        """PUT /api/v1/jobs/create."""
        return load("create", self._server.port, seconds=self._seconds).rate

    def claim(self) -> float:
        """GET /api/v1/jobs/next."""
        return load("claim", self._server.port, seconds=self._seconds).rate

    def live(self) -> float:
        """Both, and POST /api/v1/jobs/{uid}: a third of the requests each."""
        return load("life_cycle", self._server.port, seconds=self._seconds).rate / 3


@contextmanager
def serving_ours(directory: Path, operations: int) -> Iterator[Peer]:
    """The broker, while the block runs."""
    database = fill(directory / "peer.queuedb", jobs=QUEUED)
    with serving(database) as server:
        yield Ours(server, max(1, operations / OPERATIONS_A_SECOND))
