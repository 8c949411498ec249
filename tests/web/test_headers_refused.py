"""Requests whose head is wrong: the rows of the error table that come before any body."""

import pytest

from tests.support.connection import Connection
from tests.support.problem import MARKER, problem
from tests.support.server import ServerProcess
from tests.support.service import Service
from tests.web.conftest import StartServer

PATHS = [
    ("GET", "/api/v1/jobs"),
    ("GET", "/api/v1/jobs/next"),
    ("PUT", "/api/v1/jobs/create"),
    ("POST", "/api/v1/jobs/x"),
    ("DELETE", "/api/v1/jobs/x"),
]
HEAD = b"GET /api/v1/jobs HTTP/1.1\r\nHost: a\r\n"
WHO = b"X-Name: owner\r\nX-Queue: queue-0\r\n"


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize("missing", ["X-Name", "X-Queue"])
def test_a_missing_header_is_named(owner: Service, method: str, path: str, missing: str) -> None:
    headers = {name: value for name, value in owner.headers.items() if name != missing}
    document = problem(owner.connection.ask(method, path, headers), 400, "header_missing")
    assert missing in document["detail"]
    problem(owner.connection.ask(method, path, headers | {missing: ""}), 400, "header_missing")


@pytest.mark.parametrize("twice", [b"X-Name", b"X-Queue"])
@pytest.mark.parametrize("second", [b"owner", b"queue-0", MARKER.encode(), b""])
def test_nobody_can_say_which_of_two_headers_counts(
    connection: Connection, twice: bytes, second: bytes
) -> None:
    connection.send(b"%b%b%b: %b\r\n\r\n" % (HEAD, WHO, twice.lower(), second))
    problem(connection.receive(), 400, "duplicate_header")


@pytest.mark.parametrize(
    "data",
    [
        HEAD + WHO + b"X-Other: a\0b\r\n\r\n",
        HEAD + WHO + b"X-Other: a\rb\r\n\r\n",
        HEAD + WHO + b"X Other: a\r\n\r\n",
        HEAD + WHO + b"X-Other : a\r\n\r\n",
        HEAD + WHO + b"X-Other\r\n\r\n",
        HEAD + WHO + b": a\r\n\r\n",
        HEAD + WHO + b"X-Other: a\r\n folded\r\n\r\n",
        HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
        HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nxyz",
        HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nxy",
        HEAD + b"Content-Length: -2\r\n\r\n",
        HEAD + b"Content-Length: +2\r\n\r\nxy",
        HEAD + b"Content-Length: 0x2\r\n\r\nxy",
        HEAD + b"Content-Length: 2, 2\r\n\r\nxy",
        HEAD + b"Content-Length: 99999999999999999999999999\r\n\r\nxy",
        HEAD + b"Transfer-Encoding: gzip\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n",
        b"GET /api/v1/test\r\n\r\n",
        b"GET /api/v1/test HTTP/1.2.3\r\nHost: a\r\n\r\n",
        b"GET /api/v1/test HTTP/9.1\r\nHost: a\r\n\r\n",
        b"GET /api/v1/test http/1.1\r\nHost: a\r\n\r\n",
        b"GE\x80T /api/v1/test HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /api/v1/\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET test HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40) + b"\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        MARKER.encode() + b"\r\n\r\n",
        b"GET /api/v1/test HTTP/1.1\r\n" + MARKER.encode() + b"\r\n\r\n",
        b"\0\r\n\r\n",
    ],
    ids=lambda data: repr(data[-48:]),
)
def test_malformed_http_is_refused_and_the_connection_closed(connection: Connection, data: bytes) -> None:
    connection.send(data)
    problem(connection.receive(), 400, "bad_request", closes=True)
    assert connection.is_cut()


def test_a_long_field_is_refused(connection: Connection) -> None:
    connection.send(HEAD + b"X-Long: " + MARKER.encode() + b"x" * 8192 + b"\r\n\r\n")
    problem(connection.receive(), 431, "headers_too_large", closes=True)
    assert connection.is_cut()


def test_a_field_of_just_under_8_kib_is_not(owner: Service) -> None:
    assert owner.ask("GET", "/api/v1/jobs", None, X_Long="x" * 8000).status == 204


def test_a_field_without_end_is_refused(connection: Connection) -> None:
    connection.send(HEAD + b"X-Long: " + b"x" * 100_000)
    problem(connection.receive(), 431, "headers_too_large", closes=True)


def test_a_field_whose_name_has_no_end_is_refused(connection: Connection) -> None:
    connection.send(HEAD + b"x" * 100_000)
    problem(connection.receive(), 431, "headers_too_large", closes=True)


def test_65_fields_are_refused_and_64_are_not(connection: Connection) -> None:
    def fields(number: int) -> bytes:
        return b"".join(b"X-%d: %d\r\n" % (each, each) for each in range(number))

    connection.send(b"GET /livez HTTP/1.1\r\nHost: a\r\n" + fields(63) + b"\r\n")
    assert connection.receive().status == 200
    connection.send(b"GET /livez HTTP/1.1\r\nHost: a\r\n" + fields(64) + b"\r\n")
    problem(connection.receive(), 431, "headers_too_large", closes=True)
    assert connection.is_cut()


@pytest.mark.parametrize("ending", [b" HTTP/1.1\r\nHost: a\r\n\r\n", b""])
def test_a_long_target_is_refused(connection: Connection, ending: bytes) -> None:
    connection.send(b"GET /livez?" + MARKER.encode() + b"x" * 8192 + ending)
    problem(connection.receive(), 414, "uri_too_long", closes=True)
    assert connection.is_cut()


def test_a_target_of_just_under_4_kib_is_not(connection: Connection) -> None:
    assert connection.ask("GET", "/livez?" + "x" * 4000).status == 200


@pytest.mark.parametrize("path", ["/", "/api/v1/", "/api/v1/jobs/", "/api/v1/jobs/a/b", "/api/v2/jobs", "//"])
def test_what_is_not_served_is_404(connection: Connection, path: str) -> None:
    problem(connection.ask("GET", path), 404, "no_such_path")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/api/v1/test", "GET"),
        ("DELETE", "/api/v1/jobs", "GET"),
        ("PATCH", "/api/v1/jobs/x", "DELETE, GET, POST"),
        ("OPTIONS", "/api/v1/jobs/x", "DELETE, GET, POST"),
        ("LOCK", "/livez", "GET"),
        ("PUT", "/metrics", "GET"),
    ],
)
def test_another_method_is_refused_and_told_what_is_allowed(
    connection: Connection, method: str, path: str, allowed: str
) -> None:
    answer = connection.ask(method, path)
    problem(answer, 405, "method_not_allowed")
    assert answer.header("Allow") == allowed


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:1", "localhost", "LOCALHOST:80", "[::1]:6010", "jobs"]
)
def test_addresses_and_bare_names_are_this_servers(connection: Connection, host: str) -> None:
    assert connection.ask("GET", "/api/v1/test", {"Host": host}).status == 200


@pytest.mark.parametrize(
    "host",
    [f"{MARKER}.example", "evil.example:6010", "127.0.0.1.evil.example", "a.b", "[::1", "127.1", "é.example"],
)
def test_a_host_that_is_not_allowed_is_misdirected(connection: Connection, host: str) -> None:
    problem(connection.ask("GET", "/api/v1/test", {"Host": host}), 421, "host_refused")


@pytest.mark.parametrize("hosts", [b"", b"Host: a\r\nHost: a\r\n", b"Host: a\r\nHost: b.example\r\n"])
def test_a_request_names_one_host(connection: Connection, hosts: bytes) -> None:
    connection.send(b"GET /api/v1/test HTTP/1.1\r\n" + hosts + b"\r\n")
    problem(connection.receive(), 400, "bad_request", closes=True)


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1", f"http://{MARKER}", "", "http://[::1"]
)
@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS"])
def test_a_page_of_another_origin_is_refused(server: ServerProcess, method: str, origin: str) -> None:
    with server.connect() as connection:
        problem(connection.ask(method, "/api/v1/test", {"Origin": origin}), 403, "origin_refused")


def test_a_page_of_this_very_server_is_not(server: ServerProcess, connection: Connection) -> None:
    own = f"http://127.0.0.1:{server.port}"
    assert connection.ask("GET", "/api/v1/test", {"Origin": own}).status == 200


def test_hosts_and_origins_can_be_allowed(start_server: StartServer) -> None:
    allowed = {"allowed_hosts": ["jobs.example.org"], "allowed_origins": ["https://ui.example.org"]}
    with start_server(allowed).connect() as connection:
        good = {"Host": "Jobs.example.org:80", "Origin": "https://ui.example.org"}
        assert connection.ask("GET", "/api/v1/test", good).status == 200
        assert connection.ask("GET", "/api/v1/test", {"Host": "other.example.org"}).status == 421
        assert connection.ask("GET", "/api/v1/test", {"Origin": "http://ui.example.org"}).status == 403


def test_the_request_id_is_the_clients_or_a_new_one(connection: Connection) -> None:
    sent = connection.ask("GET", "/api/v1/test", {"X-Request-Id": "trace/7:a.b-c_d+e="})
    assert sent.header("X-Request-Id") == "trace/7:a.b-c_d+e="
    new = {connection.ask("GET", "/api/v1/test").header("X-Request-Id") for _ in range(10)}
    assert len(new) == 10


@pytest.mark.parametrize("odd", ["a b", "a\tb", "<script>", "é", "x" * 129, '"quoted"'])
def test_an_odd_request_id_is_not_repeated(connection: Connection, odd: str) -> None:
    answer = connection.ask("GET", "/api/v1/nowhere", {"X-Request-Id": odd})
    assert odd not in repr(answer)
    assert problem(answer, 404, "no_such_path")["request_id"]
