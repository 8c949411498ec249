"""Bodies that are too large, too late, or not what they should be; and which refusal comes first."""

import time

import pytest

from tests.support.problem import MARKER, problem
from tests.support.server import ServerProcess
from tests.support.service import Service
from tests.web.conftest import StartServer

MEBIBYTE = 1024 * 1024
GOOD = b'{"content":{},"valid_for":60,"priority":5}'


def head(service: Service, *fields: str, name: str | None = None) -> bytes:
    """The head of a create, with these fields besides the usual."""
    who = [f"X-Name: {name or service.name}", f"X-Queue: {service.queue}"]
    return "\r\n".join(["PUT /api/v1/jobs/create HTTP/1.1", "Host: a", *who, *fields, "", ""]).encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def padded(length: int) -> bytes:
    """A good body of this length."""
    return GOOD[:-1] + b" " * (length - len(GOOD)) + b"}"


def refused(service: Service, status: int, code: str, *, closes: bool = False) -> None:
    """The next answer is this refusal, and no job was made."""
    problem(service.connection.receive(to="PUT"), status, code, closes=closes)
    with Service(service.port, service.name, service.queue) as again:
        assert again.jobs() == {}


def test_refused_bodies_leave_no_memory_behind(start_server: StartServer) -> None:
    server = start_server()
    with server.service("owner") as owner:
        before = server.resident_bytes()
        for _ in range(100):
            body = b'{"content":"%b",,}' % (b"x" * 900_000)
            owner.connection.send(head(owner, f"Content-Length: {len(body)}") + body)
            problem(owner.connection.receive(to="PUT"), 400, "invalid_json")
        assert server.resident_bytes() - before < 30_000_000


# --- size ---


def test_a_body_of_1_mib_is_taken_and_one_byte_more_is_not(owner: Service) -> None:
    assert owner.send_create(padded(MEBIBYTE)).status == 201
    problem(owner.send_create(padded(MEBIBYTE + 1)), 413, "body_too_large", closes=True)


def test_a_length_over_the_limit_is_refused_before_any_of_it_is_read(owner: Service) -> None:
    owner.connection.send(head(owner, f"Content-Length: {MEBIBYTE + 1}"))
    refused(owner, 413, "body_too_large", closes=True)


def test_chunks_over_the_limit_are_refused_while_they_come(owner: Service) -> None:
    owner.connection.send(head(owner, "Transfer-Encoding: chunked") + chunk(b" " * MEBIBYTE) + chunk(b"x"))
    refused(owner, 413, "body_too_large", closes=True)


def test_chunks_within_the_limit_are_one_body(owner: Service) -> None:
    chunks = b"".join(chunk(GOOD[at : at + 1]) for at in range(len(GOOD)))
    owner.connection.send(head(owner, "Transfer-Encoding: chunked") + chunks + b"0\r\n\r\n")
    assert owner.connection.receive().status == 201


def test_a_body_that_is_refused_for_its_size_is_not_asked_for(owner: Service) -> None:
    owner.connection.send(head(owner, f"Content-Length: {MEBIBYTE + 1}", "Expect: 100-continue"))
    refused(owner, 413, "body_too_large", closes=True)


@pytest.mark.parametrize("expect", ["100-continue", "100-Continue"])
def test_a_body_that_can_be_taken_is_asked_for(owner: Service, expect: str) -> None:
    owner.connection.send(head(owner, f"Content-Length: {len(GOOD)}", f"Expect: {expect}"))
    assert owner.connection.receive().status == 100
    owner.connection.send(GOOD)
    assert owner.connection.receive().status == 201


def test_http_1_0_knows_no_asking(owner: Service) -> None:
    old = head(owner, f"Content-Length: {len(GOOD)}", "Expect: 100-continue").replace(
        b"HTTP/1.1", b"HTTP/1.0"
    )
    owner.connection.send(old)
    assert not owner.connection.has_something(within=0.2)
    owner.connection.send(GOOD)
    assert owner.connection.receive().status == 201


def test_a_body_of_a_stranger_is_not_asked_for(stranger: Service) -> None:
    stranger.connection.send(head(stranger, f"Content-Length: {len(GOOD)}", "Expect: 100-continue"))
    problem(stranger.connection.receive(), 404, "not_found", closes=True)


def test_the_limit_is_the_configurations(start_server: StartServer) -> None:
    with start_server({"limits": {"body_bytes": 2048}}).service("owner") as owner:
        assert owner.send_create(padded(2048)).status == 201
        problem(owner.send_create(padded(2049)), 413, "body_too_large", closes=True)


def test_who_goes_on_sending_is_cut_after_a_while(server: ServerProcess, owner: Service) -> None:
    """Not at once: a client that is still sending could not read why it is refused."""
    with server.service("owner", owner.queue) as other:
        owner.connection.send(head(owner, f"Content-Length: {MEBIBYTE + 1}"))
        other.connection.send(head(other, "Transfer-Encoding: chunked") + chunk(b" " * (MEBIBYTE + 1)))
        for service in (owner, other):
            refused(service, 413, "body_too_large", closes=True)
        started = time.monotonic()
        assert owner.connection.is_cut()
        assert other.connection.is_cut()
        assert time.monotonic() - started > 0.5


# --- type ---


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "identity", MARKER])
def test_a_compressed_body_is_refused(owner: Service, coding: str) -> None:
    answer = owner.send_create(GOOD, Content_Encoding=coding)
    problem(answer, 415, "unsupported_media_type")
    assert owner.jobs() == {}


@pytest.mark.parametrize("media_type", ["text/plain", MARKER, "application/json-patch+json", ";"])
def test_another_type_of_an_update_is_refused(owner: Service, media_type: str) -> None:
    uid = owner.create()["uid"]
    answer = owner.ask("POST", f"/api/v1/jobs/{uid}", b'{"priority":1}', Content_Type=media_type)
    problem(answer, 415, "unsupported_media_type")


# --- time and wholeness ---


def test_a_body_that_does_not_come_is_408(start_server: StartServer) -> None:
    server = start_server({"limits": {"body_seconds": 0.2}})
    for fields, start in (
        (f"Content-Length: {len(GOOD)}", b""),
        (f"Content-Length: {len(GOOD)}", GOOD[:-1]),
        ("Transfer-Encoding: chunked", chunk(GOOD)),
    ):
        with server.service("owner") as owner:
            owner.connection.send(head(owner, fields) + start)
            refused(owner, 408, "body_timeout", closes=True)


def test_a_body_that_trickles_is_408_all_the_same(start_server: StartServer) -> None:
    server = start_server({"limits": {"body_seconds": 0.3}})
    with server.service("owner") as owner:
        owner.connection.send(head(owner, "Content-Length: 1000000"))
        started = time.monotonic()
        while not owner.connection.has_something(within=0.02) and time.monotonic() - started < 5:
            owner.connection.send(b"x")
        refused(owner, 408, "body_timeout", closes=True)


def test_a_client_that_goes_away_in_its_body_makes_no_job(server: ServerProcess, owner: Service) -> None:
    for rest in (b"", GOOD[:10], GOOD[:-1]):
        with server.service("owner", owner.queue) as leaving:
            leaving.connection.send(head(leaving, f"Content-Length: {len(GOOD)}") + rest)
    assert owner.jobs() == {}


@pytest.mark.parametrize(
    "chunks", [b"zz\r\n", b"5\r\nabcdefgh\r\n0\r\n\r\n", b"-1\r\n", b"5;\0\r\nabcde\r\n"]
)
def test_chunks_that_are_none_are_refused(owner: Service, chunks: bytes) -> None:
    owner.connection.send(head(owner, "Transfer-Encoding: chunked") + chunks + MARKER.encode())
    refused(owner, 400, "bad_request", closes=True)


# --- which comes first: credentials, rights, size and type, body, state ---


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"X-Name": ""}, 400, "header_missing"),
        ({"X-Name": "stranger"}, 404, "not_found"),
        ({"X-Name": "reader", "uid": "x"}, 415, "unsupported_media_type"),
        ({"uid": "x"}, 415, "unsupported_media_type"),
        ({"uid": "x", "type": "application/json"}, 400, "invalid_json"),
        ({"uid": "x", "type": "application/json", "body": "{}"}, 400, "validation_failed"),
        ({"uid": "x", "type": "application/json", "body": '{"priority":1}'}, 404, "not_found"),
    ],
    ids=str,
)
def test_the_first_thing_wrong_is_the_one_told(
    owner: Service, changes: dict[str, str], status: int, code: str
) -> None:
    """Each request has all faults but those that stand before the one expected."""
    uid = owner.create()["uid"]
    sent = {"X-Name": "owner", "type": "text/plain", "body": f"{{{MARKER}", "uid": uid, **changes}
    headers = {"X-Name": sent["X-Name"], "X-Queue": owner.queue, "Content-Type": sent["type"]}
    path = f"/api/v1/jobs/{sent['uid']}"
    problem(owner.connection.ask("POST", path, headers, sent["body"].encode()), status, code)


def test_size_comes_before_the_body_and_type_before_the_size(owner: Service) -> None:
    owner.connection.send(head(owner, "Content-Type: text/plain", f"Content-Length: {2 * MEBIBYTE}"))
    problem(owner.connection.receive(), 415, "unsupported_media_type", closes=False)


def test_rights_come_before_the_size(stranger: Service) -> None:
    stranger.connection.send(head(stranger, f"Content-Length: {2 * MEBIBYTE}"))
    problem(stranger.connection.receive(), 404, "not_found", closes=False)


# --- memory ---


def test_jobs_over_the_memory_limit_are_429_and_others_go_on(start_server: StartServer) -> None:
    with start_server({"limits": {"memory": "1MiB"}}).service("owner") as owner:
        body = b'{"content":{"x":"%b"},"valid_for":60,"priority":5}' % (b"x" * 4000)
        answers = [owner.send_create(body) for _ in range(300)]
        full = [answer for answer in answers if answer.status != 201]
        assert 20 < len(full) < 150
        problem(full[0], 429, "queue_full")
        uid = owner.claim()["uid"]
        problem(owner.send_update(uid, b'{"content":{"x":"%b"}}' % (b"x" * 16_000)), 429, "queue_full")
        assert owner.get(uid)["content"] == {"x": "x" * 4000}
        owner.update(uid, status="complete")
        owner.delete(uid)
        assert owner.send_create(body).status == 201
