"""Every route of API v2 with every right: a route for which this file has no rule fails."""

import re
from itertools import product
from typing import Final

import pytest

from tests.support.api import BASE, Api
from tests.support.connection import Answer
from tests.support.problem import problem
from tests.support.server import ServerProcess
from tests.web.test_rights import all_routes

READERS: Final = frozenset({"reader", "owner"})
WRITERS: Final = frozenset({"writer", "owner"})
ADMINS: Final = frozenset({"ops"})
NAMES: Final = ("ops", "owner", "reader", "stranger", "writer")
QUEUE: Final = "/queues/{queue}"
JOB: Final = f"{QUEUE}/jobs/{{uid}}"

# What the documents say, written down a second time.
MAY: Final = {
    ("POST", f"{QUEUE}/jobs"): WRITERS,
    ("GET", f"{QUEUE}/jobs"): READERS,
    ("GET", JOB): READERS,
    ("PATCH", JOB): WRITERS,
    ("DELETE", JOB): WRITERS,
    ("GET", f"{JOB}/why"): READERS,
    ("GET", f"{JOB}/log"): READERS | WRITERS,
    ("POST", f"{JOB}/log"): READERS,
    ("POST", f"{QUEUE}/claim"): READERS,
    ("POST", "/claim"): READERS,
    ("POST", f"{QUEUE}/settle"): READERS,
    **{("POST", f"{JOB}/{verb}"): READERS for verb in ("complete", "fail", "release", "extend", "progress")},
    **{("POST", f"{JOB}/{verb}"): WRITERS for verb in ("stop", "halt", "resume", "retry", "move", "clone")},
    ("POST", "/jobs/bulk"): WRITERS,
    ("GET", "/queues"): frozenset(NAMES),
    ("GET", "/workers"): frozenset(NAMES),
    ("GET", QUEUE): READERS | WRITERS | ADMINS,
    ("PUT", QUEUE): ADMINS,
    ("DELETE", QUEUE): ADMINS,
    **{("POST", f"{QUEUE}/{verb}"): ADMINS for verb in ("pause", "resume", "drain", "purge", "redrive")},
}
NAMED_IN_THE_BODY: Final = {"/claim": '{"queues":["%s"]}', "/jobs/bulk": '{"queue":"%s","action":"halt"}'}
NEW_JOB: Final = b'{"content":1}'
BODIES: Final = {("POST", f"{QUEUE}/jobs"): NEW_JOB, ("PATCH", JOB): b'{"priority":3}'}
ABOUT_A_QUEUE: Final = [route for route in MAY if route not in (("GET", "/queues"), ("GET", "/workers"))]
REQUEST_ID: Final = re.compile(rb'"request_id":"[^"]+"')


def ask(api: Api, route: tuple[str, str], queue: str, uid: str) -> Answer:
    method, path = route
    body = BODIES.get(route)
    if path in NAMED_IN_THE_BODY:
        body = (NAMED_IN_THE_BODY[path] % queue).encode()
    return api.ask(method, path.format(queue=queue, uid=uid), body)


def test_every_route_has_its_rule() -> None:
    served = [(method, path.removeprefix(BASE)) for method, path in all_routes() if path.startswith(BASE)]
    assert sorted(served) == sorted(MAY)


@pytest.mark.parametrize(("route", "name"), list(product(MAY, NAMES)), ids=str)
def test_a_route_is_open_to_those_who_may_and_to_nobody_else(
    server: ServerProcess, owner: Api, route: tuple[str, str], name: str
) -> None:
    uid = owner.create()["uid"]
    with Api(server, name, owner.queue) as api:
        status = ask(api, route, owner.queue, uid).status
    if name in MAY[route]:
        assert status not in (401, 403, 404)  # what else is wrong with it is another test's
    else:
        assert status == (404 if name == "stranger" else 403)
        assert owner.get(uid)["last_updated"] == owner.get(uid)["created"]


@pytest.mark.parametrize("route", ABOUT_A_QUEUE, ids=str)
def test_nobody_learns_which_queues_and_jobs_there_are(
    owner: Api, stranger: Api, route: tuple[str, str]
) -> None:
    uid = owner.create()["uid"]
    of_a_stranger = ask(stranger, route, owner.queue, uid)
    of_no_queue = ask(owner, route, "no-such-queue", uid)
    problem(of_a_stranger, 404, "not_found")
    assert REQUEST_ID.sub(b"", of_a_stranger.body) == REQUEST_ID.sub(b"", of_no_queue.body)


# Of a log, test_logs.py tells.
JOB_ROUTES: Final = [
    route for route in MAY if route[1].startswith(JOB) and not route[1].endswith(("/move", "/log"))
]
BODIES_OF_HOLDERS: Final = {
    f"{JOB}/{verb}": b'{"lease":"0123456789abcdef"}' for verb in ("complete", "fail", "release", "extend")
} | {f"{JOB}/progress": b'{"lease":"0123456789abcdef","progress":1}'}


@pytest.mark.parametrize("route", JOB_ROUTES, ids=str)
def test_a_job_of_another_queue_is_no_job(owner: Api, route: tuple[str, str]) -> None:
    """The owner may do everything with both queues, and names the wrong one."""
    job = owner.create()
    method, path = route
    body = BODIES.get(route) or BODIES_OF_HOLDERS.get(path)
    problem(owner.ask(method, path.format(queue="queue-0", uid=job["uid"]), body), 404, "not_found")
    assert owner.get(job["uid"]) == job


def test_the_queue_to_move_to_must_be_one_to_write_to(owner: Api, writer: Api) -> None:
    uid = owner.create()["uid"]
    for target in ("no-such-queue", "a queue"):
        status = writer.do(uid, "move", {"queue": target}).status
        assert status == (404 if target == "no-such-queue" else 422)
    assert owner.get(uid)["queue"] == owner.queue
