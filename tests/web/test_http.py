"""HTTP as clients speak it: connections kept and closed, old versions, many requests at once."""

import pytest

from tests.support.connection import Connection, request
from tests.support.server import ServerProcess
from tests.support.service import Service

GOOD = b'{"content":{},"valid_for":60,"priority":5}'


def test_a_connection_is_kept_for_the_next_request(owner: Service) -> None:
    for _ in range(50):
        owner.create()
        assert owner.claim() is not None
    assert owner.ask("GET", "/api/v1/nowhere").status == 404
    assert owner.send_create(b"{").status == 400
    assert owner.ask("GET", "/api/v1/jobs").status == 200


def test_a_connection_is_closed_when_the_client_wants_it(owner: Service) -> None:
    answer = owner.ask("GET", "/api/v1/test", None, Connection="close")
    assert answer.closes
    assert owner.connection.is_cut()


def test_http_1_0_is_answered_and_closed(connection: Connection) -> None:
    connection.send(b"GET /api/v1/test HTTP/1.0\r\n\r\n")
    answer = connection.receive()
    assert (answer.status, answer.closes) == (200, True)
    assert connection.is_cut()


def test_http_1_0_may_keep_its_connection(connection: Connection) -> None:
    for _ in range(3):
        connection.send(b"GET /api/v1/test HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        answer = connection.receive()
        assert (answer.status, answer.header("Connection")) == (200, "keep-alive")


def test_a_long_list_reaches_http_1_0_without_chunks(owner: Service) -> None:
    for _ in range(20):
        owner.create({"x": "y" * 10_000})
    who = f"X-Name: {owner.name}\r\nX-Queue: {owner.queue}\r\nConnection: keep-alive\r\n\r\n".encode()
    owner.connection.send(b"GET /api/v1/jobs HTTP/1.0\r\n" + who)
    answer = owner.connection.receive()
    assert answer.header("Transfer-Encoding") is None
    assert len(answer.json()) == 20
    assert owner.connection.is_cut()


def test_requests_sent_at_once_are_answered_in_their_order(owner: Service) -> None:
    creates = [b'{"content":{"n":%d},"valid_for":60,"priority":5}' % number for number in range(50)]
    host = {"Host": "a", **owner.headers}
    pipeline = b"".join(request("PUT", "/api/v1/jobs/create", host, body) for body in creates)
    pipeline += request("GET", "/api/v1/jobs", host) * 2 + request("GET", "/api/v1/jobs/next", host) * 51
    owner.connection.send(pipeline)
    answers = [owner.connection.receive() for _ in range(50 + 2 + 51)]
    assert [answer.json()["content"]["n"] for answer in answers[:50]] == list(range(50))
    assert [len(answer.json()) for answer in answers[50:52]] == [50, 50]
    assert [answer.json()["content"]["n"] for answer in answers[52:102]] == list(range(50))
    assert answers[102].status == 204


def test_what_follows_a_refused_request_on_the_same_connection_is_not_served(owner: Service) -> None:
    """Whoever may choose bytes in one request must not smuggle a second one past a proxy."""
    hidden = request("PUT", "/api/v1/jobs/create", {"Host": "a", **owner.headers}, GOOD)
    both = {"Content-Length": str(len(hidden)), "Transfer-Encoding": "chunked"}
    owner.connection.send(request("GET", "/api/v1/test", {"Host": "a", **both}) + b"0\r\n\r\n" + hidden)
    assert owner.connection.receive().status == 400
    assert owner.connection.is_cut()
    with Service(owner.port, owner.name, owner.queue) as again:
        assert again.jobs() == {}


def test_a_request_may_come_byte_by_byte(owner: Service) -> None:
    headers = {"Host": "a", **owner.headers}
    for byte in request("PUT", "/api/v1/jobs/create", headers, GOOD):
        owner.connection.send(bytes([byte]))
    assert owner.connection.receive().status == 201


def test_a_body_that_nobody_asked_for_is_read_past(owner: Service) -> None:
    """A GET may have one; it means nothing, and the next request is the next request."""
    owner.create()
    assert owner.ask("GET", "/api/v1/jobs", b"x" * 1000).status == 200
    assert owner.ask("GET", "/api/v1/jobs/next", b'{"a":1}').status == 200
    assert owner.ask("GET", "/api/v1/jobs/next").status == 204


@pytest.mark.parametrize("path", ["/api/v1/test", "/livez", "/api/v1/jobs", "/api/v1/jobs/next"])
def test_head_changes_nothing_and_has_no_body(owner: Service, path: str) -> None:
    owner.create()
    answer = owner.ask("HEAD", path)
    assert (answer.status, answer.body) == (405, b"")
    assert owner.jobs()["0"]["state"] == "queued"


def test_every_answer_has_its_date_and_its_length(owner: Service) -> None:
    owner.create()
    for path in ("/api/v1/test", "/api/v1/jobs", "/api/v1/jobs/next", "/api/v1/nowhere"):
        answer = owner.ask("GET", path)
        assert answer.header("Date")
        assert answer.header("Content-Length") == str(len(answer.body))


def test_the_server_does_not_say_what_it_is_made_of(connection: Connection) -> None:
    for path in ("/livez", "/nowhere"):
        assert connection.ask("GET", path).header("Server") is None


@pytest.mark.parametrize("target", ["http://127.0.0.1/api/v1/test", "/api/v1/test?x=1#y", "/api/v1/%74est"])
def test_other_ways_to_write_a_path(server: ServerProcess, target: str) -> None:
    with server.connect() as connection:
        assert connection.ask("GET", target).status == 200


@pytest.mark.parametrize(
    "target", ["/api/v1//test", "/api/v1/./test", "/api/v1/jobs/../test", "/API/v1/test"]
)
def test_paths_are_not_made_to_fit(server: ServerProcess, target: str) -> None:
    with server.connect() as connection:
        assert connection.ask("GET", target).status in (400, 404)
