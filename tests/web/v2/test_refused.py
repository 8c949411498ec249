"""The table of errors, row by row, for API v2."""

import pytest

from tests.support.api import Api
from tests.support.connection import Connection
from tests.support.problem import MARKER, problem
from tests.support.server import ServerProcess

GOOD = b'{"content":1}'


def test_who_gives_no_name_is_unauthorized(server: ServerProcess, queue: str) -> None:
    with server.connect() as nobody:
        refused = nobody.ask("POST", f"/api/v2/queues/{queue}/jobs", None, GOOD)
    problem(refused, 401, "header_missing")
    assert refused.header("WWW-Authenticate")


def test_two_names_are_refused(server: ServerProcess, queue: str, connection: Connection) -> None:
    target = f"/api/v2/queues/{queue}/jobs"
    connection.send(f"GET {target} HTTP/1.1\r\nHost: a\r\nX-Name: owner\r\nX-Name: reader\r\n\r\n".encode())
    problem(connection.receive(), 400, "duplicate_header")


@pytest.mark.parametrize(
    "body",
    [
        b'{"content":1',
        b'{"content":1}x',
        b'{"content":NaN}',
        b'{"content":1e999}',
        b'{"content":{"a":1,"a":2}}',
        b'{"content":1,"content":2}',
        b'{"content":"\xff"}',
        b'{"content":"\\ud800"}',
        b'{"content":' + b"[" * 70 + b"]" * 70 + b"}",
        b'[{"content":1},{"content":{"a":1,"a":2}}]',
    ],
    ids=repr,
)
def test_what_is_no_strict_json_is_refused_with_its_place(owner: Api, body: bytes) -> None:
    told = problem(owner.here("POST", "/jobs", body), 400, "invalid_json")
    assert "column" in told["detail"]
    assert owner.list() == []


@pytest.mark.parametrize("good", [b'"%b"' % (b"x" * 1000), b"[%b1]" % (b"1," * 300)], ids=["text", "values"])
def test_a_long_list_that_is_no_strict_json_is_refused_too(owner: Api, good: bytes) -> None:
    body = b"[" + b'{"content":%b},' % good * 100 + b'{"content":{"a":1,"a":2}}]'
    problem(owner.here("POST", "/jobs", body), 400, "invalid_json")
    assert owner.list() == []


def test_all_that_is_wrong_is_told_at_once_each_with_its_place(owner: Api) -> None:
    body = [
        {"content": 1, "priority": 101, "tags": ["", "x" * 65], MARKER: 1},
        {"valid_for": 0.5, "backoff": {"from": "soon", "jitter": 2}, "unique_for": "ever", "unique_key": "k"},
        {"content": 1, "not_before": "2026-02-30T00:00:00Z", "uid": MARKER, "on_duplicate": MARKER},
        {"content": 1, "not_before": "2026-01-01T00:00:00Z", "delay": 1},
        7,
    ]
    told = problem(owner.here("POST", "/jobs", body), 422, "validation_failed")
    assert sorted(error["pointer"] for error in told["errors"]) == [
        "/0",
        "/0/priority",
        "/0/tags/0",
        "/0/tags/1",
        "/1/backoff/from",
        "/1/backoff/jitter",
        "/1/content",
        "/1/unique_for",
        "/1/valid_for",
        "/2/not_before",
        "/2/on_duplicate",
        "/2/uid",
        "/3",
        "/4",
    ]


def test_no_more_than_a_hundred_mistakes_are_told(owner: Api) -> None:
    told = problem(owner.here("POST", "/jobs", [{}] * 500), 422, "validation_failed")
    assert len(told["errors"]) == 100
    assert len(told["detail"]) < 1000


def test_a_name_that_was_meant_is_guessed(owner: Api) -> None:
    told = problem(owner.here("POST", "/jobs", {"content": 1, "prioritty": 2}), 422, "validation_failed")
    assert "did you mean priority?" in told["detail"]


def test_another_type_or_a_compressed_body_is_refused(owner: Api) -> None:
    refused = owner.here("POST", "/jobs", GOOD, Content_Type="text/plain")
    problem(refused, 415, "unsupported_media_type")
    refused = owner.here("POST", "/jobs", GOOD, Content_Encoding="gzip")
    problem(refused, 415, "unsupported_media_type")


def test_no_body_may_be_of_any_type(owner: Api) -> None:
    job = owner.create()
    halted = owner.here("POST", f"/jobs/{job['uid']}/halt", Content_Type="application/octet-stream")
    assert halted.status == 200, halted.body


def test_a_body_over_the_limit_is_refused_and_the_connection_closed(owner: Api) -> None:
    refused = owner.here("POST", "/jobs", b'{"content":"' + b"x" * 1_048_576 + b'"}')
    problem(refused, 413, "body_too_large", closes=True)


@pytest.mark.parametrize("path", ["/queues/", "/queues//jobs", "/nothing", "/queues/%/jobs", "/jobs"])
def test_a_path_that_is_none_is_refused(owner: Api, path: str) -> None:
    answer = owner.ask("GET", path)
    assert (answer.status, answer.json()["code"]) in ((404, "no_such_path"), (404, "not_found"))


def test_another_method_is_told_which_ones_there_are(owner: Api) -> None:
    refused = owner.here("PUT", "/jobs", GOOD)
    problem(refused, 405, "method_not_allowed")
    assert refused.header("Allow") == "GET, POST"


def test_an_escaped_path_means_the_same(owner: Api) -> None:
    job = owner.create()
    escaped = owner.queue.replace("-", "%2D")
    assert owner.ask("GET", f"/queues/{escaped}/jobs/{job['uid']}").json() == job


def test_a_uid_may_be_written_in_capitals(owner: Api) -> None:
    job = owner.create()
    assert owner.get(job["uid"].upper()) == job


def test_rights_come_before_the_body(reader: Api, stranger: Api) -> None:
    for body in (b"{", b"\xff", b'{"content":1'):
        problem(stranger.here("POST", "/jobs", body), 404, "not_found")
        problem(reader.here("POST", "/jobs", body), 403, "forbidden")
