"""No connection waits for ever: for its head, its next request, or a client that does not read."""

import time

import pytest

from tests.support.connection import Connection, request
from tests.support.server import ServerProcess
from tests.web.conftest import StartServer

HEAD = b"GET /api/v1/test HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
def hasty(start_server: StartServer) -> ServerProcess:
    """A server that waits a tenth of a second for a head."""
    return start_server({"limits": {"header_seconds": 0.1}})


@pytest.mark.parametrize("start", [b"", b"G", HEAD[:-2], HEAD[:-1]], ids=repr)
def test_a_head_that_does_not_come_whole_is_cut(hasty: ServerProcess, start: bytes) -> None:
    with hasty.connect() as connection:
        connection.send(start)
        assert connection.is_cut(within=3)


def test_a_head_that_trickles_is_cut(hasty: ServerProcess) -> None:
    with hasty.connect() as connection:
        connection.send(HEAD[:-2])
        assert cut_while_sending(connection, b"X-A: b\r\n") < 3


def cut_while_sending(connection: Connection, piece: bytes, *, pause_seconds: float = 0.02) -> float:
    """How many seconds it took the server to cut a connection that goes on sending, and reads nothing."""
    started = time.monotonic()
    while time.monotonic() - started < 10:
        try:
            connection.send(piece)
        except ConnectionError:
            break
        time.sleep(pause_seconds)
    return time.monotonic() - started


def test_the_head_of_a_second_request_is_cut_too(hasty: ServerProcess) -> None:
    with hasty.connect() as connection:
        connection.send(HEAD)
        assert connection.receive().status == 200
        connection.send(HEAD[:-2])
        assert connection.is_cut(within=3)


def test_a_connection_between_two_requests_has_more_time(hasty: ServerProcess) -> None:
    with hasty.connect() as connection:
        connection.send(HEAD)
        assert connection.receive().status == 200
        assert not connection.is_cut(within=2)


def test_an_idle_connection_is_closed_in_the_end(start_server: StartServer) -> None:
    with start_server({"limits": {"idle_seconds": 0.2}}).connect() as connection:
        connection.send(HEAD)
        assert connection.receive().status == 200
        assert connection.is_cut(within=2)


def test_half_a_head_behind_a_request_is_cut_as_an_idle_connection_is(start_server: StartServer) -> None:
    with start_server({"limits": {"idle_seconds": 0.2, "header_seconds": 0.1}}).connect() as connection:
        connection.send(HEAD + HEAD[:-2])
        assert connection.receive().status == 200
        assert connection.is_cut(within=3)


def test_a_client_that_does_not_read_a_long_list_is_cut(start_server: StartServer) -> None:
    server = start_server({"limits": {"write_seconds": 0.3}})
    with server.service("owner") as owner, server.connect(receive_buffer=4096) as lazy:
        for _ in range(300):
            owner.create({"x": "y" * 50_000})
        lazy.send(request("GET", "/api/v1/jobs", {"Host": "a", **owner.headers}))
        assert cut_while_sending(lazy, b"\r\n") < 5
        assert len(owner.jobs()) == 300


def test_a_client_that_reads_slowly_gets_its_list(start_server: StartServer) -> None:
    server = start_server({"limits": {"write_seconds": 0.5}})
    with server.service("owner") as owner, server.connect(receive_buffer=65536) as slow:
        for _ in range(100):
            owner.create({"x": "y" * 50_000})
        slow.send(request("GET", "/api/v1/jobs", {"Host": "a", **owner.headers}))
        received, started = bytearray(), time.monotonic()
        while data := slow.socket.recv(50_000):
            received += data
            time.sleep(0.01)
            if received.endswith(b"\r\n0\r\n\r\n"):
                break
        assert received.count(b'"uid"') == 100
        assert time.monotonic() - started > 0.5


def test_a_client_that_never_reads_many_answers_is_cut(start_server: StartServer) -> None:
    server = start_server({"limits": {"write_seconds": 0.3}})
    with server.service("owner") as owner, server.connect(receive_buffer=4096) as lazy:
        owner.create({"x": "y" * 15_000})
        asking = request("GET", "/api/v1/jobs", {"Host": "a", **owner.headers})
        before = server.resident_bytes()
        assert cut_while_sending(lazy, asking * 100, pause_seconds=0) < 8
        assert server.resident_bytes() - before < 30_000_000
        assert len(owner.jobs()) == 1
