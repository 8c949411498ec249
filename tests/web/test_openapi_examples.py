"""Every operation of the document, asked for what it takes and for what it does not take."""

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import ignored_auth

from tests.support.openapi import document
from tests.support.server import ServerProcess

BAD: Final = 30  # of the examples of each operation
EXAMPLES_LEAST: Final = 100
MEMORY: Final = "/dev/shm" if Path("/dev/shm").is_dir() else None  # no example is about the disk
LIST_MOST: Final = 2  # elements where any number is right: more of them find no other fault
# Of the third one nothing but its steering is wanted, of the last one its list: a short one.
QUEUE, HELD, STEERED, LISTED = "mail", "held", "steered", "listed"
MANY: Final = [{"content": {"a": 1}}] * 200
HOLDERS: Final = ("complete", "fail", "release", "extend", "progress")

CONFIGURATION: Final = {
    # What is right may yet not fit: the job's state, its version, a full queue.
    "checks": {
        "positive_data_acceptance": {"expected-statuses": ["2xx", 403, 404, 409, 412, 429]},
        "negative_data_rejection": {"expected-statuses": [400, 401, 404, 409, 412, 415, 422]},
    },
    "generation": {"allow-x00": False, "with-security-parameters": False},
}

# A cursor is of one list, a dead letter queue of one server; rules and sizes have a form of their own.
MEANT_ELSEWHERE: Final = {"cursor", "dead_letter", "errors", "log_bytes", "max_bytes"}
DURATIONS: Final = {"wait", "lease", "by", "delay", "valid_for", "timeout", "unique_for", "backoff"}
LEASE_ID: Final = re.compile("[0-9a-f]{16}")
SPANS: Final = ("1500ms", "59s", "1m", "30", "0.5m")
FILTERS: Final = (
    "state = queued",
    'content.a = 1 or tag ~ "x"',
    "not (priority >= 50 and created < now - 2h)",
)


def operations_of(described: dict[str, Any]) -> dict[str, APIOperation]:
    """All of them, by name."""
    schema = schemathesis.openapi.from_dict(described, config=SchemathesisConfig.from_dict(CONFIGURATION))
    found = (operation.ok() for operation in schema.get_all_operations())
    return {operation.label: operation for operation in found}


def with_short_lists(schema: Any) -> Any:
    """The same, but for lists that are as long as they like."""
    match schema:
        case {"type": "array"}:
            return {name: with_short_lists(each) for name, each in schema.items()} | {"maxItems": LIST_MOST}
        case dict():
            return {name: with_short_lists(each) for name, each in schema.items()}
        case list():
            return [with_short_lists(each) for each in schema]
        case _:
            return schema


def asked_for(described: dict[str, Any]) -> dict[str, Any]:
    """The document, of which bodies are made that are right. Answers are held against it, too."""
    schemas = described["components"]["schemas"]
    short = {
        name: schema if name.endswith("View") else with_short_lists(schema)
        for name, schema in schemas.items()
    }
    bodies = {
        path: {
            method: told
            | ({"requestBody": with_short_lists(told["requestBody"])} if "requestBody" in told else {})
            for method, told in methods.items()
        }
        for path, methods in described["paths"].items()
    }
    return described | {"paths": bodies, "components": described["components"] | {"schemas": short}}


operations = {
    GenerationMode.POSITIVE: operations_of(asked_for(document())),
    GenerationMode.NEGATIVE: operations_of(document()),
}


class Asker:
    """Asks a real server, about real jobs where it can."""

    def __init__(self, port: int) -> None:
        self.base_url = f"http://127.0.0.1:{port}"
        self.session = requests.Session()
        self.session.headers["X-Name"] = "ops"
        self._numbers = itertools.count()
        self.begin()

    def begin(self) -> None:
        """With jobs of its own: what another operation left, that one may have stopped, moved or dropped."""
        self.went_well = False  # anything of late
        self._uids: list[str] = []
        self._leases: list[tuple[str, str]] = []

    def ask(self, case: Case) -> None:
        """Send it, and hold the answer against the document."""
        case.headers.pop("Origin", None)  # any but the server's own is refused, whatever is asked
        number = f"{next(self._numbers)}"
        case.headers["X-Request-Id"] = number
        if "Idempotency-Key" in case.headers:
            case.headers["Idempotency-Key"] = number  # one that stood for another body would be refused
        response = case.call(base_url=self.base_url, session=self.session, timeout=20)
        self.went_well |= response.status_code < 300
        # Checked are all but that a wrong name gets 401: X-Name is believed, and has rights or none.
        case.validate_response(response, excluded_checks=[ignored_auth])

    def fill_list(self) -> None:
        """Make jobs that are listed: a queued one, and one in progress."""
        url = f"{self.base_url}/api/v2/queues/{LISTED}"
        self.session.post(f"{url}/jobs", json=MANY[:2])
        self.session.post(f"{url}/claim", json={"lease": "1h", "worker": "lister"})

    def make_real(self, case: Case) -> None:
        """Let it mean a job that there is, unless that is just where it is wrong."""
        wrong = {place for place, part in case.meta.components.items() if part.mode.is_negative}
        lists = case.method == "GET" and case.path.endswith("/jobs")
        if ParameterLocation.HEADER not in wrong and "X-Queue" in case.headers:
            case.headers["X-Queue"] = LISTED if lists else QUEUE
        if ParameterLocation.PATH in wrong:
            return
        writes_log = case.method == "POST" and case.path.endswith("/log")
        is_held = case.path.endswith(HOLDERS) or writes_log
        if "queue" in case.path_parameters:
            is_of_jobs = "/jobs" in case.path or "/claim" in case.path
            case.path_parameters["queue"] = HELD if is_held else QUEUE if is_of_jobs else STEERED
        if lists and "queue" in case.path_parameters:
            case.path_parameters["queue"] = LISTED
        if case.method == "DELETE" and "uid" not in case.path_parameters:
            case.path_parameters["queue"] = self._queue()
        if "uid" in case.path_parameters:
            uid, lease = self._held() if is_held else (self._made(), None)
            case.path_parameters["uid"] = uid
            if lease is not None and writes_log and ParameterLocation.HEADER not in wrong:
                case.headers["X-Lease"] = lease
            elif lease is not None and not writes_log and ParameterLocation.BODY not in wrong:
                case.body = {**case.body, "lease": lease}

    def _queue(self) -> str:
        """A queue that may be dropped."""
        self.session.put(f"{self.base_url}/api/v2/queues/droppable", json={"read": [], "write": []})
        return "droppable"

    def _made(self) -> str:
        """A job that no example has had."""
        if not self._uids:
            url = f"{self.base_url}/api/v2/queues/{QUEUE}/jobs"
            self._uids = self.session.post(url, json=MANY, headers={"Prefer": "return=minimal"}).json()[
                "uids"
            ]
        return self._uids.pop()

    def _held(self) -> tuple[str, str]:
        """A claimed job that no example has had, and its lease."""
        if not self._leases:
            url = f"{self.base_url}/api/v2/queues/{HELD}"
            self.session.post(f"{url}/jobs", json=MANY, headers={"Prefer": "return=minimal"})
            jobs = self.session.post(f"{url}/claim", json={"max": len(MANY), "lease": "1h"}).json()["jobs"]
            self._leases = [(job["uid"], job["lease"]["id"]) for job in jobs]
        return self._leases.pop()


@pytest.fixture(scope="module")
def asker() -> Iterator[Asker]:
    """One for a server on which everybody may do all. What fails inside it fails the test."""
    queues = {name: {"read": ["*"], "write": ["*"]} for name in (QUEUE, HELD, STEERED, LISTED)}
    configuration = {"admin": ["ops"], "queues": queues, "database": {"reserve_mib": 0}}
    with TemporaryDirectory(dir=MEMORY) as place, ServerProcess(Path(place), configuration) as server:
        asker = Asker(server.port)
        with asker.session:
            asker.fill_list()
            yield asker
        assert server.stop() == 0, server.log
        assert "Traceback" not in server.log
        assert not server.events("request failed")


@pytest.mark.parametrize("label", operations[GenerationMode.POSITIVE])
def test_the_server_answers_as_the_document_says(asker: Asker, label: str) -> None:
    asker.begin()
    asked: Counter[GenerationMode] = Counter()
    for mode, most in ((GenerationMode.NEGATIVE, BAD), (GenerationMode.POSITIVE, EXAMPLES_LEAST)):
        asked[mode] = examine(asker, label, mode, most - asked.total())
    assert asked.total() >= EXAMPLES_LEAST
    assert asker.went_well


def make_sensible(case: Case) -> None:
    """What is right must also mean something, where no schema can say what does."""
    wrong = {place for place, part in case.meta.components.items() if part.mode.is_negative}
    if ParameterLocation.QUERY not in wrong:
        case.query = sensible(dict(case.query))
    if ParameterLocation.BODY not in wrong and isinstance(case.body, dict | list):
        case.body = sensible(case.body)
    for place, values in ((ParameterLocation.QUERY, case.query), (ParameterLocation.BODY, case.body)):
        if isinstance(values, dict) and "wait" in values and place not in wrong:
            values["wait"] = 0  # nobody makes a job meanwhile
    if case.path.endswith("/log") and ParameterLocation.QUERY not in wrong:
        case.query = {name: value for name, value in case.query.items() if name not in ("after", "follow")}


def sensible(value: Any) -> Any:
    """The same with durations in range, queues that there are, filters that can be read, and no cursors."""
    match value:
        case dict():
            return {name: _meant(name, each) for name, each in value.items() if name not in MEANT_ELSEWHERE}
        case list():
            return [sensible(each) for each in value]
        case float() if value.is_integer():
            return int(value)  # to JSON Schema 5.0 is an integer; the server wants it written as one
        case _:
            return value


def _meant(name: str, value: Any) -> Any:
    """What stands under this name."""
    match name, value:
        case "content", _:
            return value
        case "filter", str():
            return FILTERS[len(value) % len(FILTERS)]
        case (("queue" | "to"), str()):
            return QUEUE
        case "queues", list():
            return [QUEUE]
        case "queues", dict():
            return {QUEUE: sensible(next(iter(value.values()), 1))}
        case "lease", str() if LEASE_ID.fullmatch(value):
            return value
        case _ if name in DURATIONS:
            return _span(value)
        case _:
            return sensible(value)


def _span(value: Any) -> Any:
    """Durations are texts, or numbers with no part of a millisecond."""
    match value:
        case str() if value not in ("queued", "active"):
            return SPANS[len(value) % len(SPANS)]
        case float():
            return sensible(round(value, 3))
        case list():
            return [_span(each) for each in value]
        case dict():
            return {name: _span(each) for name, each in value.items()}
        case _:
            return value


def examine(asker: Asker, label: str, mode: GenerationMode, most: int) -> int:
    """Ask so many times; how often it was."""
    asked = 0

    @settings(
        max_examples=most,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.generate,),  # to make a failure smaller would take minutes
        suppress_health_check=list(HealthCheck),
    )
    @given(
        operations[mode][label].as_strategy(generation_mode=mode),
        st.sampled_from([True, True, True, False]),
        st.integers(min_value=0),  # so that there are enough of those that take nothing
    )
    def ask(case: Case, is_real: bool, _number: int) -> None:
        nonlocal asked
        asked += 1
        make_sensible(case)
        if is_real:
            asker.make_real(case)
        asker.ask(case)

    try:
        ask()
    except Unsatisfiable:  # it takes nothing that could be wrong
        assert mode is GenerationMode.NEGATIVE
    return asked
