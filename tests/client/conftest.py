"""A broker in the test's own process, with a clock that the test moves."""

from collections.abc import Iterator

import pytest

from jobengine import Client, Worker
from jobengine.testing import Broker, broker

QUEUES = {
    "mail": {"max_attempts": 3, "backoff": [0]},
    "fragile": {"dead_letter": "dead"},
    "dead": {},
    "closed": {"read": ["nobody"], "write": ["nobody"]},
}


@pytest.fixture(name="running")
def running_broker() -> Iterator[Broker]:
    """It has a few queues."""
    with broker(QUEUES) as running:
        yield running


@pytest.fixture
def admin(running: Broker) -> Iterator[Client]:
    """A service that may administer it."""
    with running.client("admin") as opened:
        yield opened


@pytest.fixture
def client(running: Broker) -> Iterator[Client]:
    """A service that asks it."""
    with running.client("tester") as opened:
        yield opened


@pytest.fixture
def worker(running: Broker) -> Worker:
    """One without a function."""
    return Worker(running.url, name="resizer")
