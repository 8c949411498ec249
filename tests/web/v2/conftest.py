"""Services that ask API v2, each about a queue of the test's own."""

from collections.abc import Callable, Iterator

import pytest

from tests.support.api import Api
from tests.support.server import ServerProcess


def _api_fixture(name: str) -> Callable[[ServerProcess, str], Iterator[Api]]:
    @pytest.fixture(name=name)
    def api(server: ServerProcess, queue: str) -> Iterator[Api]:
        with Api(server, name, queue) as opened:
            yield opened

    return api


reader = _api_fixture("reader")  # may read
writer = _api_fixture("writer")  # may write
owner = _api_fixture("owner")  # may do both
stranger = _api_fixture("stranger")  # may do nothing
ops = _api_fixture("ops")  # administers the server
