"""How many connections there may be, and that one client's end is nobody else's."""

import socket
from contextlib import ExitStack

import pytest

from tests.support.connection import Connection, request
from tests.support.server import ServerProcess
from tests.support.service import Service
from tests.web.conftest import StartServer

GOOD = b'{"content":{},"valid_for":60,"priority":5}'


def turned_away(connection: Connection) -> bool:
    answer = connection.receive()
    return answer.status == 503 and answer.closes and connection.is_cut()


def test_one_connection_too_many_is_turned_away_and_the_others_go_on(start_server: StartServer) -> None:
    server = start_server({"limits": {"connections": 20}})
    with ExitStack() as open_ones:
        inside = [open_ones.enter_context(server.service("owner")) for _ in range(20)]
        for _ in range(30):
            with server.connect() as outside:
                assert turned_away(outside)
        for service in inside:
            assert service.create()["state"] == "queued"
        inside.pop().connection.close()
        assert let_in_soon(server)


def let_in_soon(server: ServerProcess) -> bool:
    """The server may see that a client has gone only a little later."""
    for _ in range(100):
        with server.connect() as again:
            again.send(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
            if again.receive().status == 200:
                return True
    return False


def test_the_limit_stays_below_the_open_files_that_the_system_allows(start_server: StartServer) -> None:
    """At that limit every accept would fail, with a traceback each time."""
    server = start_server(before=["prlimit", "--nofile=128:128"])
    with ExitStack() as open_ones:
        connections = [open_ones.enter_context(server.connect()) for _ in range(200)]
        served = 0
        for connection in connections:
            connection.send(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
            served += connection.receive().status == 200
        assert 32 <= served < 128
        with server.connect() as outside:
            assert turned_away(outside)
    assert let_in_soon(server)
    assert server.stop() == 0
    assert {line["level"] for line in server.lines()} == {"info"}


def test_a_low_limit_of_open_files_is_raised_where_that_is_allowed(start_server: StartServer) -> None:
    server = start_server(before=["prlimit", "--nofile=128:1024"])
    with ExitStack() as open_ones:
        for _ in range(200):
            connection = open_ones.enter_context(server.connect())
            assert connection.ask("GET", "/livez").status == 200


@pytest.mark.parametrize("how", ["reset", "close", "half-close"])
@pytest.mark.parametrize("sent", [1, 40, 150, 10_000])
def test_a_client_that_goes_away_harms_nobody(owner: Service, how: str, sent: int) -> None:
    """In its head, in its body, or while it is answered."""
    data = request("PUT", "/api/v1/jobs/create", {"Host": "a", **owner.headers}, GOOD)
    data += request("GET", "/api/v1/jobs", {"Host": "a", **owner.headers}) * 20
    for _ in range(10):
        leaving = Connection(owner.port)
        leaving.send(data[:sent])
        if how == "reset":
            leaving.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        elif how == "half-close":
            leaving.all_that_comes()
        leaving.close()
    job = owner.create()
    assert owner.get(job["uid"]) == job


def test_a_client_that_goes_away_in_the_middle_of_a_list_harms_nobody(owner: Service) -> None:
    for _ in range(100):
        owner.create({"x": "y" * 20_000})
    for _ in range(5):
        with Connection(owner.port, receive_buffer=4096) as leaving:
            leaving.send(request("GET", "/api/v1/jobs", {"Host": "a", **owner.headers}))
            assert leaving.socket.recv(1000).startswith(b"HTTP/1.1 200 OK")
    assert len(owner.jobs()) == 100


def test_a_claim_whose_client_has_gone_is_not_lost_for_ever(owner: Service) -> None:
    """It is either still queued, or in progress until its lease is over: nothing between."""
    uid = owner.create()["uid"]
    with Connection(owner.port) as leaving:
        leaving.send(request("GET", "/api/v1/jobs/next", {"Host": "a", **owner.headers}))
    assert owner.get(uid)["state"] in ("queued", "inprogress")
