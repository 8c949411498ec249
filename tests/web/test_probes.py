"""/livez and /readyz, from the first moment to the last."""

import signal
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.support.connection import Answer, Connection, request
from tests.support.problem import problem
from tests.support.server import ServerProcess
from tests.web.conftest import StartServer

SLOW_SECRET = "a passphrase, whose key takes half a second to derive"


def connect_soon(server: ServerProcess) -> Connection:
    for _ in range(1000):
        try:
            return server.connect()
        except ConnectionRefusedError:
            time.sleep(0.005)
    raise AssertionError(server.log)


def test_anybody_may_ask_whether_it_lives_and_is_ready(connection: Connection) -> None:
    for path in ("/livez", "/readyz", "/api/v1/test"):
        answer = connection.ask("GET", path)
        assert (answer.status, answer.json()) == (200, {"status": "ok"})


def test_it_lives_and_is_not_ready_while_it_starts(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path, environment={"SECRET": SLOW_SECRET})
    server.launch()
    try:
        with closing(connect_soon(server)) as connection:
            refused = connection.ask("GET", "/readyz")
            problem(refused, 503, "unavailable", closes=True)
        with closing(server.connect()) as connection:
            problem(connection.ask("GET", "/api/v1/jobs"), 503, "unavailable", closes=True)
        with closing(server.connect()) as connection:
            assert connection.ask("GET", "/livez").status == 200
        server.wait_for("serving")
        with closing(server.connect()) as connection:
            assert connection.ask("GET", "/readyz").status == 200
    finally:
        server.kill()


def test_it_may_be_stopped_while_it_starts(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path, environment={"SECRET": SLOW_SECRET})
    server.launch()
    connect_soon(server).close()
    assert server.stop() == 0
    assert not server.events("serving")
    with server, server.service("owner") as owner:
        assert owner.jobs() == {}


def test_it_is_ready_for_nobody_while_it_stops(start_server: StartServer) -> None:
    """A list that is not read keeps it for a moment; whoever asks then gets no answer, or a 503."""
    server = start_server()
    with server.service("owner") as owner, server.connect(receive_buffer=4096) as lazy:
        for _ in range(200):
            owner.create({"x": "y" * 50_000})
        lazy.send(request("GET", "/api/v1/jobs", {"Host": "a", **owner.headers}))
        assert lazy.socket.recv(1, 2)
        server.send(signal.SIGTERM)
        server.wait_for("stopping")
        assert status_if_any(lambda: owner.ask("GET", "/readyz")) in (None, 503)
        assert status_if_any(lambda: ask_anew(server)) in (None, 503)
        assert server.process.poll() is None
        assert server.wait() == 0


def status_if_any(ask: Callable[[], Answer]) -> int | None:
    try:
        return ask().status
    except ConnectionError:
        return None


def ask_anew(server: ServerProcess) -> Answer:
    with server.connect() as connection:
        return connection.ask("GET", "/readyz")
