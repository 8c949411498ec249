"""The log of a running server: one line per event, and nothing in it that is the callers'."""

import json

import pytest

from tests.support.api import Api
from tests.support.problem import MARKER
from tests.support.server import SECRET, ServerProcess
from tests.web.conftest import StartServer


def test_no_content_is_logged_at_any_level(start_server: StartServer) -> None:
    server = start_server(environment={"LOG_LEVEL": "debug"})
    with server.service("owner") as owner:
        uid = owner.create({MARKER: MARKER, "big": MARKER * 10_000})["uid"]
        owner.claim()
        owner.update(uid, status="complete", content={"result": MARKER})
        owner.jobs()
        for body in (MARKER.encode(), b'{"content":{"%b":NaN}}' % MARKER.encode()):
            assert owner.send_create(body).status == 400
            assert owner.send_update(uid, body).status == 400
        owner.delete(uid)
    with server.connect() as connection:
        connection.send(MARKER.encode() + b"\r\n\r\n")
        assert connection.receive().status == 400
    assert server.stop() == 0
    assert len(server.lines()) > 10
    assert_hidden(MARKER, server)


def test_nothing_of_a_job_of_api_v2_is_logged_at_any_level(start_server: StartServer) -> None:
    server = start_server(environment={"LOG_LEVEL": "debug"})
    with Api(server, "owner", "mail") as owner:
        asked = {"unique_key": MARKER, "tags": [MARKER], "max_attempts": 2}
        owner.expect(201, "POST", "/jobs", {"content": MARKER, **asked}, Idempotency_Key=MARKER)
        job = owner.claim_one(worker=MARKER)
        for verb, said in (("progress", {"progress": MARKER}), ("fail", {"error": MARKER})):
            assert owner.settle(job, verb, **said).status == 200
        owner.do(job["uid"], "retry")
        assert owner.settle(owner.claim_one(), "complete", result=MARKER).status == 200
        assert len(owner.list(f"?filter=error%20~%20{MARKER}")) == 1
        assert owner.here("GET", f"/jobs?filter={MARKER}%20!").status == 422
        assert owner.here("POST", "/jobs", {MARKER: 1}).status == 422
    assert server.stop() == 0
    assert len(server.lines()) > 10
    assert_hidden(MARKER, server)


def test_nothing_that_callers_send_is_logged_unless_asked_for(start_server: StartServer) -> None:
    server = start_server()
    with server.service(MARKER, MARKER) as stranger:
        assert stranger.ask("GET", f"/{MARKER}", None, X_Request_Id=MARKER).status == 404
        assert stranger.ask("GET", "/api/v1/jobs", None, X_Status_Filter=MARKER).status == 404
    assert server.stop() == 0
    assert_hidden(MARKER, server)


def assert_hidden(text: str, server: ServerProcess) -> None:
    for hidden in (text, SECRET, SECRET.removeprefix("hex:")):
        assert hidden not in server.log


@pytest.mark.parametrize("level", ["debug", "info"])
def test_requests_are_in_the_log_when_debugging_and_only_then(start_server: StartServer, level: str) -> None:
    server = start_server(environment={"LOG_LEVEL": level})
    with server.service("owner") as owner:
        owner.ask("GET", "/api/v1/jobs", None, X_Request_Id="trace-7")
    assert server.stop() == 0
    assert [line["request_id"] for line in server.events("request")] == ["trace-7"] * (level == "debug")


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
