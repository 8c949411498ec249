"""Claims that wait: woken by the create, given up when the client goes or the server stops."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from tests.support.api import Api, sent
from tests.support.connection import Connection, request
from tests.support.problem import problem
from tests.support.server import ServerProcess
from tests.web.conftest import StartServer
from tests.web.test_metrics import figure, figures


def waiting_claim(server: ServerProcess, queue: str, name: str = "reader") -> Connection:
    """A connection on which a claim of 60 seconds is under way."""
    connection = server.connect()
    body = sent({"wait": 60})
    headers = {"Host": "a", "X-Name": name}
    connection.send(request("POST", f"/api/v2/queues/{queue}/claim", headers, body))
    return connection


def soon(happened: Callable[[], bool]) -> bool:
    """Whether it happens within some seconds: asked again and again."""
    deadline = time.monotonic() + 10
    while not happened():
        if time.monotonic() > deadline:
            return False
    return True


def test_a_create_wakes_the_one_who_waits(server: ServerProcess, queue: str, writer: Api) -> None:
    with waiting_claim(server, queue) as waiting:
        assert not waiting.has_something(within=0.05)
        uid = writer.create("at last")["uid"]
        (job,) = waiting.receive(to="POST").json()["jobs"]
    assert (job["uid"], job["state"]) == (uid, "inprogress")


def test_who_waited_longest_is_served_first(server: ServerProcess, queue: str, writer: Api) -> None:
    with waiting_claim(server, queue) as first:
        assert not first.has_something(within=0.05)
        with waiting_claim(server, queue) as second:
            assert not second.has_something(within=0.05)
            writer.create(1)
            assert first.receive(to="POST").status == 200
            assert not second.has_something(within=0.05)
            writer.create(2)
            assert second.receive(to="POST").json()["jobs"][0]["content"] == 2


def test_a_job_goes_to_one_of_many_who_wait(server: ServerProcess, queue: str, writer: Api) -> None:
    with ExitStack() as opened:
        waiting = [opened.enter_context(waiting_claim(server, queue)) for _ in range(20)]
        writer.create()
        served = [connection for connection in waiting if connection.has_something(within=0.1)]
        assert len(served) == 1


def test_who_waits_in_vain_gets_nothing(reader: Api) -> None:
    assert reader.here("POST", "/claim", {"wait": "50ms"}).status == 204


def test_who_went_before_the_job_came_holds_nothing(
    server: ServerProcess, queue: str, writer: Api, owner: Api
) -> None:
    gone = waiting_claim(server, queue)
    assert not gone.has_something(within=0.05)
    gone.close()
    uid = writer.create()["uid"]
    assert soon(lambda: owner.get(uid)["state"] == "queued")
    job = owner.claim_one(wait=20)
    assert (job["uid"], job["attempt"]) == (uid, 1)


def test_who_went_is_counted_as_gone_and_not_as_wrong(server: ServerProcess, queue: str) -> None:
    def counted(outcome: str) -> float:
        return figure(figures(server.port), "jobengine_operations_total", kind="claim", outcome=outcome)

    before = counted("gone"), counted("bad_request")
    gone = waiting_claim(server, queue)
    assert not gone.has_something(within=0.05)
    gone.close()
    assert soon(lambda: counted("gone") == before[0] + 1)
    assert counted("bad_request") == before[1]


def test_who_waits_for_several_queues_is_woken_by_either(writer: Api, reader: Api) -> None:
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(reader.ask, "POST", "/claim", {"queues": ["queue-998", reader.queue], "wait": 20})
        writer.create("here")
        assert asked.result(20).json()["jobs"][0]["content"] == "here"


def test_who_asks_for_the_end_of_a_job_waits_for_it(writer: Api, reader: Api, owner: Api) -> None:
    uid = writer.create()["uid"]
    job = reader.claim_one()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(owner.here, "GET", f"/jobs/{uid}?wait=20s")
        assert reader.settle(job, "complete", result=7).status == 200
        assert asked.result(20).json()["result"] == 7
    assert reader.here("GET", f"/jobs/{uid}?wait=60").json()["state"] == "complete"


def test_who_lost_the_right_while_waiting_is_told_so(start_server: StartServer) -> None:
    server = start_server()
    with waiting_claim(server, "mail") as waiting, Api(server, "owner", "mail") as owner:
        assert not waiting.has_something(within=0.05)
        server.configure({"queues": {"mail": {"read": ["owner"], "write": ["owner"]}}})
        server.wait_for("configuration_taken_up")
        owner.create("secret")
        problem(waiting.receive(to="POST"), 404, "not_found")
        assert owner.claim_one()["content"] == "secret"


def test_a_server_that_stops_sends_them_away_at_once(start_server: StartServer) -> None:
    server = start_server()
    with ExitStack() as opened:
        waiting = [opened.enter_context(waiting_claim(server, "mail")) for _ in range(10)]
        assert not waiting[-1].has_something(within=0.1)
        begun = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begun < 1.5
        for connection in waiting:
            problem(connection.receive(to="POST"), 503, "unavailable", closes=True)


def test_a_job_that_is_made_is_answered_as_made_when_the_server_stops(start_server: StartServer) -> None:
    server = start_server()
    with server.connect() as waiting:
        body = sent({"content": 1})
        headers = {"Host": "a", "X-Name": "owner", "Prefer": "wait=60"}
        waiting.send(request("POST", "/api/v2/queues/mail/jobs", headers, body))
        assert not waiting.has_something(within=0.1)
        assert server.stop() == 0
        made = waiting.receive(to="POST")
    assert (made.status, made.json()["state"]) == (201, "queued")
