"""SIGTERM: what is under way is finished, what is half received is cut, and the file is sealed."""

import signal
import threading
import time

from tests.support.connection import Answer, Connection, request
from tests.support.problem import problem
from tests.support.service import Service
from tests.web.conftest import StartServer

GOOD = b'{"content":{},"valid_for":60,"priority":5}'


def create_head(owner: Service) -> bytes:
    return request(
        "PUT", "/api/v1/jobs/create", {"Host": "a", **owner.headers, "Content-Length": str(len(GOOD))}
    )


def test_it_exits_with_0_at_once_when_nothing_is_under_way(start_server: StartServer) -> None:
    server = start_server()
    with server.connect() as idle:
        assert idle.ask("GET", "/livez").status == 200
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < 2
        assert idle.is_cut()
    assert server.events("stopped")


def test_sigint_stops_it_too(start_server: StartServer) -> None:
    server = start_server()
    server.send(signal.SIGINT)
    assert server.wait() == 0


def test_a_half_received_body_is_cut(start_server: StartServer) -> None:
    server = start_server()
    with server.service("owner") as first, server.service("owner") as second, server.connect() as third:
        first.connection.send(create_head(first))
        second.connection.send(create_head(second) + GOOD[:-1])
        third.send(b"GET /livez HTTP/1.1\r\n")
        with server.service("owner") as owner:
            assert owner.jobs() == {}  # so that all three have arrived
        assert server.stop() == 0
        for half in (first, second):
            problem(half.connection.receive(), 503, "unavailable", closes=True)
        assert third.is_cut()


def test_every_answer_that_was_given_while_it_stopped_holds(start_server: StartServer) -> None:
    server = start_server()
    created: list[str] = []
    refused: list[Answer] = []

    def create_until_the_end(owner: Service) -> None:
        try:
            while (answer := owner.send_create(GOOD)).status == 201:
                created.append(answer.json()["uid"])
            refused.append(answer)
        except ConnectionError:
            pass

    services = [server.service("owner") for _ in range(8)]
    creators = [threading.Thread(target=create_until_the_end, args=(service,)) for service in services]
    for creator in creators:
        creator.start()
    while len(created) < 200:
        time.sleep(0.01)
    assert server.stop() == 0
    for creator in creators:
        creator.join()
    for service in services:
        service.connection.close()
    assert {answer.status for answer in refused} <= {503}
    with server, server.service("owner") as owner:
        there = {job["uid"] for job in owner.jobs().values()}
        assert set(created) <= there
        assert len(there) <= len(created) + len(creators)


def test_a_list_under_way_is_finished(start_server: StartServer) -> None:
    server = start_server()
    with server.service("owner") as owner, server.connect(receive_buffer=65536) as lister:
        for _ in range(100):
            owner.create({"x": "y" * 50_000})
        lister.send(request("GET", "/api/v1/jobs", {"Host": "a", **owner.headers}))
        assert lister.socket.recv(1, 2)
        server.send(signal.SIGTERM)
        server.wait_for("stopping")
        assert len(lister.receive().json()) == 100
        assert server.wait() == 0


def test_a_client_that_does_not_read_does_not_keep_it(start_server: StartServer) -> None:
    server = start_server()
    with server.service("owner") as owner, Connection(server.port, receive_buffer=4096) as lazy:
        for _ in range(200):
            owner.create({"x": "y" * 50_000})
        lazy.send(request("GET", "/api/v1/jobs", {"Host": "a", **owner.headers}))
        assert lazy.socket.recv(1, 2)
        assert server.stop() == 0


def test_a_sealed_file_needs_no_mending(start_server: StartServer) -> None:
    server = start_server()
    with server.service("owner") as owner:
        uid = owner.create()["uid"]
    assert server.stop() == 0
    server.start()
    with server.service("owner") as owner:
        assert owner.get(uid)["state"] == "queued"
    assert not server.events("recovered")
    assert server.stop() == 0


def test_a_server_that_was_killed_is_whole_again(start_server: StartServer) -> None:
    server = start_server()
    with server.service("owner") as owner:
        jobs = [owner.create({"n": number}) for number in range(20)]
        jobs[0] = owner.claim()
    server.kill()
    server.start()
    with server.service("owner") as owner:
        assert list(owner.jobs().values()) == jobs
    assert server.stop() == 0


def test_a_new_server_may_take_the_port_at_once(start_server: StartServer) -> None:
    server = start_server()
    with server.connect() as connection:
        assert connection.ask("GET", "/livez").status == 200
        assert server.stop() == 0
    server.start()
    with server.connect() as connection:
        assert connection.ask("GET", "/livez").status == 200
