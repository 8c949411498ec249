"""The Job Manager's routes, as its document has them."""

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.facades.conftest import JSON, Old
from tests.facades.junk import JUNK
from tests.support.connection import Answer, Connection
from tests.support.problem import MARKER

VERBS = ["halt", "resume", "stop"]


def submit(client: Connection, **fields: object) -> Answer:
    """A job is submitted."""
    return client.ask("POST", "/submit", JSON, json.dumps(fields).encode())


def submitted(client: Connection) -> str:
    """Its id."""
    answer = submit(client, Type="Simple", args={"key": "value"})
    assert answer.status == 200, answer.body
    return str(answer.json()["jobID"])


def refused(answer: Answer, status: int) -> Any:
    """What a refusal says."""
    assert answer.status == status, answer.body
    assert MARKER not in answer.body.decode()
    assert set(answer.json()) == {"jobID", "error"}
    return answer.json()


def state(client: Connection, uid: str) -> str:
    """How it is."""
    return str(client.ask("GET", f"/details/{uid}").json()["details"]["state"])


def claim(worker: Any, uid: str) -> Any:
    """The worker gets this one; those before it are done."""
    while (claimed := worker.claim_one())["uid"] != uid:
        worker.settle(claimed, "complete")
    return claimed


def test_a_job_is_submitted(client: Connection, old: Old) -> None:
    answer = submit(client, Type="Export", args={"from_date": "2020-01-31", "to_date": "2020-12-31"})
    told = answer.json()
    assert told == {
        "jobID": told["jobID"],
        "message": "Success",
        "details": {"type": "Export", "state": "queued"},
    }
    with old.worker("classes") as worker:
        content = claim(worker, told["jobID"])["content"]
    assert content == {"class": "Export", "args": {"from_date": "2020-01-31", "to_date": "2020-12-31"}}


def test_one_that_waits_is_halted_resumed_and_stopped(client: Connection) -> None:
    uid = submitted(client)
    for verb, expected in [("halt", "halted"), ("resume", "queued"), ("halt", "halted"), ("stop", "stopped")]:
        answer = client.ask("GET", f"/{verb}/{uid}")
        assert (answer.status, answer.json()["message"]) == (200, "Success")
        assert answer.json()["details"]["state"] == expected == state(client, uid)


def test_details_tell_how_far_it_has_come(client: Connection, old: Old) -> None:
    uid = submitted(client)
    with old.worker("classes") as worker:
        claimed = claim(worker, uid)
        worker.settle(claimed, "progress", progress={"done": 3, "of": 10})
        told = client.ask("GET", f"/details/{uid}").json()["details"]
        assert told == {"type": "Simple", "state": "running", "done": 3, "of": 10}
        result = {"result": {"counted": 10}, "details": {"done": 10, "of": 10}}
        worker.settle(claimed, "complete", result=result)
    told = client.ask("GET", f"/details/{uid}").json()["details"]
    assert (told["state"], told["done"], told["result"]) == ("complete", 10, {"counted": 10})


def test_one_that_runs_is_asked_to_stop_and_then_stopped(client: Connection, old: Old) -> None:
    uid = submitted(client)
    with old.worker("classes") as worker:
        claimed = claim(worker, uid)
        assert client.ask("GET", f"/stop/{uid}").json()["details"]["state"] == "stopping"
        error = {"kind": "stopped", "text": "it was stopped"}
        worker.settle(claimed, "fail", error=error, retry=False)
    assert state(client, uid) == "stopped"


def test_one_that_failed_says_why(client: Connection, old: Old) -> None:
    uid = submitted(client)
    with old.worker("classes") as worker:
        error = {"kind": "ValueError", "text": "no such day"}
        worker.settle(claim(worker, uid), "fail", error=error, retry=False)
    told = client.ask("GET", f"/details/{uid}").json()["details"]
    assert (told["state"], told["error"]) == ("failed", "no such day")


@pytest.mark.parametrize("verb", VERBS)
def test_what_its_state_does_not_allow_is_a_conflict(client: Connection, verb: str) -> None:
    uid = submitted(client)
    if verb == "resume":
        assert refused(client.ask("GET", f"/resume/{uid}"), 409)["error"] == "the job is not halted"
    client.ask("GET", f"/halt/{uid}")
    if verb == "halt":
        assert refused(client.ask("GET", f"/halt/{uid}"), 409)["error"] == "the job is halted already"
    client.ask("GET", f"/stop/{uid}")
    assert refused(client.ask("GET", f"/{verb}/{uid}"), 409) == {"jobID": uid, "error": "the job has ended"}


@pytest.mark.parametrize("verb", [*VERBS, "details"])
def test_an_id_that_is_not_there_is_not_found(client: Connection, verb: str) -> None:
    uid = str(uuid4())
    assert refused(client.ask("GET", f"/{verb}/{uid}"), 404)["jobID"] == uid
    for junk in (MARKER, "%3Cscript%3E", "%00"):
        assert refused(client.ask("GET", f"/{verb}/{junk}"), 404)["jobID"] == ""


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_of_another_site_changes_nothing(client: Connection, site: str) -> None:
    uid = submitted(client)
    for verb in VERBS:
        refused(client.ask("GET", f"/{verb}/{uid}", {"Sec-Fetch-Site": site}), 403)
    assert state(client, uid) == "queued"
    assert client.ask("GET", f"/halt/{uid}", {"Sec-Fetch-Site": "none"}).status == 200


@pytest.mark.parametrize(
    "fields",
    [{}, {"Type": "Other"}, {"Type": ["Simple"]}, {"Type": {}}, {"Type": "Simple", "args": [1]}],
)
def test_what_is_no_job_is_refused(client: Connection, fields: dict[str, object]) -> None:
    refused(submit(client, **fields), 400)


@pytest.mark.parametrize("body", JUNK)
def test_junk_is_refused(client: Connection, body: bytes) -> None:
    refused(client.ask("POST", "/submit", JSON, body), 400)


@pytest.mark.parametrize("page", ["/swagger/", "/swagger/index.html"])
def test_its_routes_are_there_to_try(client: Connection, page: str) -> None:
    answer = client.ask("GET", page)
    assert (answer.status, answer.header("Content-Type")) == (200, "text/html; charset=utf-8")
    assert client.ask("GET", "/swagger/docs/swagger-ui.css").status == 200
    document = client.ask("GET", "/swagger/openapi.json").json()
    assert {"/submit", "/halt/{uid}", "/stop/{uid}", "/resume/{uid}", "/details/{uid}"} <= set(
        document["paths"]
    )
    assert not [path for path in document["paths"] if "/api/" in path]
    operations = [told for methods in document["paths"].values() for told in methods.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
