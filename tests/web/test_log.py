"""The log of a running server: one line per event, and nothing in it that is the callers'."""

import json

import pytest

from tests.support.problem import MARKER
from tests.support.server import SECRET
from tests.web.conftest import StartServer


@pytest.mark.parametrize("level", ["debug", "info"])
def test_nothing_of_what_callers_send_is_logged(start_server: StartServer, level: str) -> None:
    server = start_server(environment={"LOG_LEVEL": level})
    with server.service("owner") as owner:
        uid = owner.create({MARKER: MARKER, "big": MARKER * 10_000})["uid"]
        owner.claim()
        owner.update(uid, status="complete", content={"result": MARKER})
        owner.jobs()
        for body in (MARKER.encode(), b'{"content":{"%b":NaN}}' % MARKER.encode()):
            assert owner.send_create(body).status == 400
        assert owner.ask("GET", f"/{MARKER}").status == 404
        assert owner.ask("GET", "/api/v1/jobs", None, X_Status_Filter=MARKER).status == 400
        owner.delete(uid)
    with server.service(MARKER, MARKER) as stranger:
        assert stranger.ask("GET", "/api/v1/jobs").status == 404
    with server.connect() as connection:
        connection.send(MARKER.encode() + b"\r\n\r\n")
        assert connection.receive().status == 400
    assert server.stop() == 0
    assert MARKER not in server.log
    assert SECRET not in server.log
    assert SECRET.removeprefix("hex:") not in server.log


def test_a_usual_run_is_a_few_lines_of_json(start_server: StartServer) -> None:
    server = start_server()
    with server.service("owner") as owner:
        for _ in range(50):
            owner.create()
    assert server.stop() == 0
    lines = [json.loads(line) for line in server.log.splitlines()]
    assert [line["event"] for line in lines] == ["queue_added", "serving", "stopping", "stopped"]
    assert all(line["level"] == "info" and line["timestamp"] for line in lines)


def test_where_it_serves_is_said(start_server: StartServer) -> None:
    server = start_server()
    serving = server.events("serving")[0]
    assert (serving["host"], serving["port"]) == ("127.0.0.1", server.port)
