"""Every route with every right: a route for which this file has no rule fails."""

import re
from collections.abc import Iterator
from itertools import product
from typing import Final, cast

import pytest

from jobengine.access import Access
from jobengine.engine.interface import Engine
from jobengine.settings.schema import Settings
from jobengine.web.metrics import Metrics
from jobengine.web.server import WebServer
from tests.support.connection import Answer
from tests.support.server import ServerProcess
from tests.support.service import Service
from tests.web.conftest import StartServer

EVERYBODY: Final = frozenset({"reader", "writer", "owner", "ops", "stranger"})

# What the documents say, written down a second time.
MAY: Final = {
    ("GET", "/api/v1/test"): EVERYBODY,
    ("PUT", "/api/v1/jobs/create"): {"writer", "owner"},
    ("GET", "/api/v1/jobs/next"): {"reader", "owner"},
    ("GET", "/api/v1/jobs"): {"reader", "owner"},
    ("GET", "/api/v1/jobs/{uid}"): {"reader", "owner"},
    ("POST", "/api/v1/jobs/{uid}"): {"reader", "writer", "owner"},  # a reader: what it has claimed
    ("DELETE", "/api/v1/jobs/{uid}"): {"writer", "owner"},
    ("GET", "/livez"): EVERYBODY,
    ("GET", "/readyz"): EVERYBODY,
    ("GET", "/metrics"): {"ops"},
    ("GET", "/openapi.json"): EVERYBODY,
    ("GET", "/docs"): EVERYBODY,
    ("GET", "/docs/{file}"): EVERYBODY,
}
BODIES: Final = {
    "PUT": b'{"content":{},"valid_for":60,"priority":5}',
    "POST": b'{"status":"complete"}',
}
GOOD: Final = {"PUT": 201, "DELETE": 204}
REQUEST_ID: Final = re.compile(rb'"request_id":"[^"]+"')


def all_routes() -> list[tuple[str, str]]:
    """All that the server's own router would find, probes included."""
    web = WebServer(Settings(), Access(), Metrics(), host="127.0.0.1", port=0)
    web.serve(cast(Engine, None))
    router = web._application.router
    return [(route.method, str(route.resource and route.resource.canonical)) for route in router.routes()]


def routes() -> list[tuple[str, str]]:
    """Those of API v1, and those that belong to no version."""
    return [route for route in all_routes() if not route[1].startswith("/api/v2")]


def ask(service: Service, method: str, path: str, uid: str) -> Answer:
    path = path.replace("{uid}", uid).replace("{file}", "swagger-ui.css")
    return service.ask(method, path, BODIES.get(method))


def claimed_job(server: ServerProcess, queue: str, claimer: str) -> str:
    with server.service("owner", queue) as owner:
        uid = owner.create()["uid"]
    with server.service(claimer if claimer in ("reader", "owner") else "owner", queue) as reader:
        assert reader.claim()["uid"] == uid
    with server.service("owner", queue) as owner:
        owner.create()  # so that there is a next one
    return str(uid)


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with a queue for everybody."""
    queues = {"mail": {"read": ["*"], "write": ["*"]}}
    with ServerProcess(tmp_path_factory.mktemp("open"), {"queues": queues}) as server:
        yield server
        assert server.stop() == 0


def without_request_id(answer: Answer) -> tuple[int, bytes, list[tuple[str, str]]]:
    changing = ("date", "x-request-id", "content-length")
    fields = [(name, value) for name, value in answer.fields if name not in changing]
    return answer.status, REQUEST_ID.sub(b"", answer.body), fields


def test_every_route_has_its_rule() -> None:
    assert sorted(routes()) == sorted(MAY)


@pytest.mark.parametrize(("route", "name"), list(product(routes(), sorted(EVERYBODY))), ids=str)
def test_a_route_is_open_to_those_who_may_and_to_nobody_else(
    server: ServerProcess, queue: str, route: tuple[str, str], name: str
) -> None:
    uid = claimed_job(server, queue, name)
    with server.service(name, queue) as service:
        status = ask(service, *route, uid).status
    if name in MAY[route]:
        assert status == GOOD.get(route[0], 200)
    elif name in ("reader", "writer") or route[1] == "/metrics":
        assert status == 403
    else:
        assert status == 404


JOB_ROUTES: Final = [route for route in routes() if "/jobs" in route[1]]


@pytest.mark.parametrize("route", JOB_ROUTES, ids=str)
def test_nobody_learns_which_queues_and_jobs_there_are(
    server: ServerProcess, queue: str, stranger: Service, route: tuple[str, str]
) -> None:
    uid = claimed_job(server, queue, "owner")
    of_a_stranger = ask(stranger, *route, uid)
    with server.service("owner", "no-such-queue") as owner:
        of_no_queue = ask(owner, *route, uid)
    with server.service("stranger", "no\\such/queue") as nobody:
        of_no_name = ask(nobody, *route, uid)
    assert of_a_stranger.status == 404
    assert without_request_id(of_a_stranger) == without_request_id(of_no_queue)
    assert without_request_id(of_a_stranger) == without_request_id(of_no_name)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_job_of_another_queue_is_no_job(
    server: ServerProcess, queue: str, stranger: Service, method: str
) -> None:
    """The owner may do everything with both queues, and names the wrong one."""
    uid = claimed_job(server, queue, "owner")
    with server.service("owner", "queue-0") as elsewhere, server.service("owner", queue) as owner:
        of_another = ask(elsewhere, method, "/api/v1/jobs/{uid}", uid)
        of_none = ask(elsewhere, method, "/api/v1/jobs/{uid}", "00000000-0000-0000-0000-000000000000")
        of_a_stranger = ask(stranger, method, "/api/v1/jobs/{uid}", uid)
        assert owner.get(uid)["state"] == "inprogress"
    assert of_another.status == 404
    assert without_request_id(of_another) == without_request_id(of_none)
    assert without_request_id(of_another) == without_request_id(of_a_stranger)


@pytest.mark.parametrize("route", JOB_ROUTES, ids=str)
def test_rights_are_checked_before_the_body_is_read(stranger: Service, route: tuple[str, str]) -> None:
    method, path = route
    bodies = [b"{", b"\xff", b'{"content":[]}', b"x" * 2_000_000]
    answers = [stranger.ask(method, path.replace("{uid}", "x"), body).status for body in bodies[:3]]
    assert answers == [404, 404, 404]


@pytest.mark.parametrize("name", ["reader", "READER", "reader ", "reader,owner", "*", "%72eader", "re\tader"])
def test_a_name_counts_to_the_letter(server: ServerProcess, queue: str, name: str) -> None:
    with server.service(name, queue) as service:
        status = service.ask("GET", "/api/v1/jobs").status
    assert status == (204 if name.strip() == "reader" else 404)


@pytest.mark.parametrize("name", ["anybody", "a" * 64, "0", "a.b-c_d"])
def test_a_star_is_every_service(open_server: ServerProcess, name: str) -> None:
    with open_server.service(name) as service:
        service.update(service.create()["uid"], status="complete")
        assert service.jobs()


@pytest.mark.parametrize("name", ["a b", "-a", "*", "a" * 65, "\u00e9", "a/b", "a,b"])
def test_a_star_is_no_service_of_another_name(open_server: ServerProcess, name: str) -> None:
    with open_server.service(name) as service:
        refused = service.ask("GET", "/api/v1/jobs")
    assert (refused.status, refused.json()["code"]) == (400, "bad_request")


def test_a_star_for_one_right_gives_no_other(start_server: StartServer) -> None:
    queues = {"mail": {"read": ["*"], "write": ["writer"]}}
    server = start_server({"queues": queues})
    with server.service("anybody") as anybody, server.service("writer") as writer:
        assert anybody.send_create(BODIES["PUT"]).status == 403
        uid = writer.create()["uid"]
        assert anybody.claim()["uid"] == uid
        assert writer.get(uid)["state"] == "inprogress"  # a writer is a service too, and may read


def test_a_reader_settles_what_it_claimed(reader: Service, writer: Service) -> None:
    writer.create()
    uid = reader.claim()["uid"]
    assert reader.update(uid, status="complete", content={"done": 1})["state"] == "complete"
    assert reader.get(uid)["content"] == {"done": 1}


def test_a_reader_may_say_again_that_its_job_is_complete(reader: Service, writer: Service) -> None:
    writer.create()
    uid = reader.claim()["uid"]
    reader.update(uid, status="complete")
    assert reader.update(uid, status="complete")["state"] == "complete"


@pytest.mark.parametrize("change", [b'{"priority":9}', b'{"timeout_time":2000000000}'])
def test_a_reader_changes_no_more_of_its_job_than_status_and_content(
    reader: Service, writer: Service, change: bytes
) -> None:
    writer.create(priority=7)
    job = reader.claim()
    assert reader.send_update(job["uid"], change).status == 403
    assert reader.send_update(job["uid"], change[:-1] + b',"status":"complete"}').status == 403
    assert reader.get(job["uid"]) == job


def test_a_reader_does_not_touch_what_another_claimed(
    reader: Service, second_reader: Service, writer: Service
) -> None:
    writer.create()
    uid = reader.claim()["uid"]
    refused = second_reader.send_update(uid, b'{"status":"complete"}')
    assert (refused.status, refused.json()["code"]) == (403, "forbidden")
    assert reader.name not in refused.body.decode().replace("only read", "")
    assert second_reader.get(uid)["state"] == "inprogress"


def test_a_reader_does_not_touch_what_nobody_claimed(reader: Service, writer: Service) -> None:
    uid = writer.create()["uid"]
    assert reader.send_update(uid, b'{"status":"inprogress"}').status == 403
    assert reader.get(uid)["state"] == "queued"


def test_a_writers_status_ends_what_a_reader_held(reader: Service, writer: Service) -> None:
    writer.create()
    uid = reader.claim()["uid"]
    writer.update(uid, status="inprogress")
    assert reader.send_update(uid, b'{"status":"complete"}').status == 403


def test_a_job_put_back_is_no_longer_its_claimers(
    reader: Service, second_reader: Service, writer: Service
) -> None:
    writer.create()
    uid = reader.claim()["uid"]
    reader.update(uid, status="queued")
    assert second_reader.claim()["uid"] == uid
    assert reader.send_update(uid, b'{"status":"complete"}').status == 403
