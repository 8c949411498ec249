"""A broker for the commands that ask one."""

from collections.abc import Iterator

import pytest

from tests.cli.broker import CONFIGURATION, Terminal
from tests.support.server import ServerProcess


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """One for all tests of a file: each makes the jobs that it needs."""
    place = tmp_path_factory.mktemp("server")
    with ServerProcess(place, CONFIGURATION) as server:
        yield Terminal(server, place)
