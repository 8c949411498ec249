"""Every operation of the document, asked for what it takes and for what it does not take."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import ignored_auth

from jobengine import __version__
from jobengine.web.openapi.document import document
from jobengine.web.openapi.operations import OPERATIONS
from tests.support.server import ServerProcess

GOOD, BAD = 70, 40  # examples of each operation
EXAMPLES_LEAST: Final = 100
QUEUE: Final = "mail"

CONFIGURATION: Final = {
    # What is asked may be right, and yet the job not in a state for it, or changed, or its queue full.
    "checks": {
        "positive_data_acceptance": {"expected-statuses": ["2xx", 403, 404, 409, 412, 429]},
    },
    "generation": {"allow-x00": False, "with-security-parameters": False},
}

schema = schemathesis.openapi.from_dict(
    document(OPERATIONS, version=__version__), config=SchemathesisConfig.from_dict(CONFIGURATION)
)
operations = {
    operation.label: operation for operation in (found.ok() for found in schema.get_all_operations())
}


class Asker:
    """Asks a real server, about real jobs where it can."""

    def __init__(self, port: int) -> None:
        self.base_url = f"http://127.0.0.1:{port}"
        self.session = requests.Session()
        self.session.headers["X-Name"] = "ops"

    def ask(self, case: Case) -> None:
        """Send it, and hold the answer against the document."""
        response = case.call(base_url=self.base_url, session=self.session)
        case.validate_response(response, excluded_checks=[ignored_auth])

    def make_real(self, case: Case) -> None:
        """Let it mean a job that there is, unless that is just where it is wrong."""
        wrong = {place for place, part in case.meta.components.items() if part.mode.is_negative}
        if ParameterLocation.HEADER not in wrong and "X-Queue" in case.headers:
            case.headers["X-Queue"] = QUEUE
        if ParameterLocation.PATH not in wrong and "queue" in case.path_parameters:
            case.path_parameters["queue"] = QUEUE
        if ParameterLocation.PATH not in wrong and "uid" in case.path_parameters:
            case.path_parameters["uid"] = self._job()

    def _job(self) -> str:
        body = {"content": {}, "valid_for": 600, "priority": 5}
        headers = {"X-Queue": QUEUE}
        made = self.session.put(f"{self.base_url}/api/v1/jobs/create", json=body, headers=headers)
        return str(made.json()["uid"])


@pytest.fixture(scope="module")
def asker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    """One for a server on which everybody may do all. What fails inside it fails the test."""
    queues = {QUEUE: {"read": ["*"], "write": ["*"]}}
    place = tmp_path_factory.mktemp("examples")
    with ServerProcess(place, {"admin": ["ops"], "queues": queues}) as server:
        asker = Asker(server.port)
        with asker.session:
            yield asker
        assert server.stop() == 0, server.log
        assert "Traceback" not in server.log
        assert not server.events("request failed")


@pytest.mark.parametrize("label", operations)
def test_the_server_answers_as_the_document_says(asker: Asker, label: str) -> None:
    asked: Counter[GenerationMode] = Counter()
    for mode, most in ((GenerationMode.NEGATIVE, BAD), (GenerationMode.POSITIVE, GOOD + BAD)):
        asked[mode] = examine(asker, label, mode, most - asked.total())
    assert asked.total() >= EXAMPLES_LEAST


def examine(asker: Asker, label: str, mode: GenerationMode, most: int) -> int:
    """Ask so many times; how often it was."""
    asked = 0

    @settings(max_examples=most, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(operations[label].as_strategy(generation_mode=mode), st.integers(min_value=0))
    def ask(case: Case, number: int) -> None:
        nonlocal asked
        asked += 1
        case.headers["X-Request-Id"] = f"{number}"
        if number % 4:
            asker.make_real(case)
        asker.ask(case)

    try:
        ask()
    except Unsatisfiable:  # it takes nothing that could be wrong
        assert mode is GenerationMode.NEGATIVE
    return asked
