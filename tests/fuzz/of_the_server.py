"""Junk for a real server: always an answer or a cut, nothing that failed inside, and it serves on."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import strategies as st

from jobengine.control.address import connect, socket_path
from tests.fuzz import of_api_v2
from tests.fuzz.of_the_configuration import texts
from tests.fuzz.of_the_file import changed, changes
from tests.fuzz.target import Target
from tests.support.connection import request
from tests.support.server import ServerProcess

FAILED_INSIDE = (b"Traceback", b"request failed", b"internal_error")
ANSWER_SECONDS = 20.0
PATIENCE_SECONDS = 0.05  # with what may be half a request
NAMES = ("requests", "requests-v2", "control-lines")  # of the targets

methods = st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "get", ""])
paths = st.sampled_from(
    [
        *("/api/v1/jobs/create", "/api/v1/jobs/next", "/api/v1/jobs", "/api/v1/jobs/x", "/api/v1/test"),
        *("/metrics", "/livez", "/readyz", "/", "*", "//", "/%00", "/%ff", "http://a/", "/?", "/#"),
    ]
)
queries = st.sampled_from(
    ["", "", "?limit=1", "?limit=-1", "?after=x&limit=2", "?limit=%31", "?a=b&a=c", "?%"]
)
odd_texts = st.text(st.characters(max_codepoint=255), max_size=12)
header_values = odd_texts | st.sampled_from(
    ["owner", "reader", "mail", "application/json", "chunked", "0", "5", "-1", "9" * 20, "100-continue"]
)
header_names = st.sampled_from(
    [
        *("X-Name", "X-Queue", "Content-Type", "X-Content-Type", "Content-Length", "Transfer-Encoding"),
        *("Expect", "Connection", "Host", "Upgrade", "Range", "Origin", "Cookie", "X-Status-Filter", ""),
    ]
)
job_keys = st.sampled_from(["content", "valid_for", "priority", "status", "valid_until"]) | st.text(
    max_size=3
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(job_keys, inner, max_size=4),
    max_leaves=12,
)
json_texts = json_values.map(lambda value: json.dumps(value).encode())
bodies = (
    st.none()
    | st.binary(max_size=40)
    | json_texts
    | st.tuples(json_texts, changes).map(lambda case: changed(*case))
)


def _request(case: tuple[str, str, dict[str, str], bytes | None]) -> bytes:
    method, target, headers, body = case
    return request(method, target, {"Host": "a", "X-Name": "owner", "X-Queue": "mail", **headers}, body)


requests = st.tuples(
    methods,
    st.builds("{}{}".format, paths, queries),
    st.dictionaries(header_names, header_values, max_size=3),
    bodies,
).map(_request)
sent = st.one_of(
    requests, st.tuples(requests, changes).map(lambda case: changed(*case)), st.binary(max_size=200)
)
sent_to_v2 = st.one_of(
    of_api_v2.requests, st.tuples(of_api_v2.requests, changes).map(lambda case: changed(*case))
)

questions = st.fixed_dictionaries(
    {"ask": st.sampled_from(["compact", "rekey", "plan", "info"]) | st.text(max_size=5)},
    optional={
        "secret": json_values,
        "new_secret": json_values,
        "configuration": json_values | texts.map(lambda text: text.decode(errors="replace")),
        "source": json_values,
    },
).map(lambda question: json.dumps(question).encode() + b"\n")
lines = st.one_of(
    questions,
    st.tuples(questions, changes).map(lambda case: changed(*case)),
    json_texts,
    st.binary(max_size=99),
)


class ServerUnderFire:
    """A real server, and a look at what it logs."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._log_read = 0

    def take(self, data: bytes) -> None:
        """It takes these bytes on its port, and serves on."""
        self._logged()
        with self._server.connect() as connection:
            connection.send(data)
            connection.has_something(within=PATIENCE_SECONDS)  # who has gone by then gets no answer
            answers = connection.all_that_comes()
        assert b"HTTP/1.1 5" not in answers, answers
        self._check_serves()

    def take_line(self, data: bytes) -> None:
        """It takes these bytes on its control socket, and answers, or hangs up."""
        self._logged()
        with connect(socket_path(self._server.database), seconds=ANSWER_SECONDS) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            answers = [json.loads(line) for line in connection.makefile("rb")]
        assert answers, "hung up without a word"
        assert all(answer["answer"] == "progress" for answer in answers[:-1]), answers
        assert answers[-1]["answer"] in ("result", "refused"), answers
        self._check_serves()

    def _check_serves(self) -> None:
        with self._server.connect() as connection:
            assert connection.ask("GET", "/api/v1/test").status == 200
        logged = self._logged()
        assert not any(sign in logged for sign in FAILED_INSIDE), logged.decode()

    def _logged(self) -> bytes:
        """What is new in the log."""
        with self._server._log.open("rb") as log:
            log.seek(self._log_read)
            new = log.read()
        self._log_read += len(new)
        return new


@contextmanager
def targets(place: Path) -> Iterator[tuple[Target, ...]]:
    """The doors of a server that runs meanwhile."""

    with ServerProcess(place, {"admin": ["owner"]}) as server:
        under_fire = ServerUnderFire(server)
        takes = (under_fire.take, under_fire.take, under_fire.take_line)
        ways = zip(NAMES, (sent, sent_to_v2, lines), takes, strict=True)
        yield tuple(Target(name, inputs, take) for name, inputs, take in ways)
        assert server.stop() == 0, server.log
