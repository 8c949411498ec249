"""The Linux Job Worker's routes, as its document has them."""

import base64
import json
from typing import Any
from uuid import uuid4

import pytest

from tests.facades.conftest import JSON, Old
from tests.facades.junk import JUNK
from tests.support.connection import Answer, Connection
from tests.support.problem import MARKER

ABOVE = ["", "/api"]


def started(client: Connection, *argv: str) -> Any:
    """The new job."""
    answer = client.ask("POST", "/jobs", JSON, json.dumps({"cmd": argv}).encode())
    assert answer.status == 201, answer.body
    return answer.json()


def refused(answer: Answer, status: int) -> str:
    """What a refusal says, in the form of this system."""
    assert answer.status == status, answer.body
    assert answer.header("Content-Type") == "text/plain; charset=utf-8"
    assert MARKER not in answer.body.decode()
    return answer.body.decode()


def done(old: Old, job: Any, *, code: int = 0, wrote: bytes = b"") -> None:
    """Somebody has run this one, and those before it."""
    with old.worker("programs") as worker:
        while (claimed := worker.claim_one())["uid"] != job["id"]:
            worker.settle(claimed, "complete")
        if wrote:
            log(worker, claimed, wrote)
        if code:
            error = {"kind": "exit_code", "text": f"it ended with {code}"}
            assert worker.settle(claimed, "fail", error=error, retry=False).status == 200
        else:
            assert worker.settle(claimed, "complete").status == 200


def log(worker: Any, claimed: Any, wrote: bytes) -> None:
    """The job writes something."""
    path = f"/jobs/{claimed['uid']}/log?stream=out&offset=0"
    headers = {"X_Lease": claimed["lease"]["id"], "Content_Type": "application/octet-stream"}
    answer = worker.here("POST", path, wrote, **headers)
    assert answer.status == 204, answer.body


@pytest.mark.parametrize("above", ABOVE)
def test_a_program_is_queued_and_its_command_is_one_text(client: Connection, above: str) -> None:
    answer = client.ask("POST", f"{above}/jobs", JSON, b'{"cmd": ["ls", "-l"]}')
    assert answer.status == 201
    job = answer.json()
    assert job == {"id": job["id"], "cmd": "ls -l", "status": "QUEUED", "output": ""}
    assert client.ask("GET", f"{above}/jobs/{job['id']}").json() == job
    assert client.ask("GET", f"{above}/jobs/{job['id']}/log").json() == job


def test_all_that_are_kept_are_listed_ended_ones_too(client: Connection, old: Old) -> None:
    first, second = started(client, "true"), started(client, "true")
    done(old, first)
    ids = client.ask("GET", "/jobs").json()["idList"]
    assert ids.index(first["id"]) < ids.index(second["id"])
    assert client.ask("GET", "/api/jobs").json() == {"idList": ids}


def test_its_status_tells_how_it_is(client: Connection, old: Old) -> None:
    job = started(client, "sleep", "1")
    with old.worker("programs") as worker:
        while (claimed := worker.claim_one())["uid"] != job["id"]:
            worker.settle(claimed, "complete")
        assert client.ask("GET", f"/jobs/{job['id']}").json()["status"] == "RUNNING"
        worker.settle(claimed, "complete")
    assert client.ask("GET", f"/jobs/{job['id']}").json()["status"] == "FINISHED"


def test_one_that_failed_says_why_when_it_wrote_nothing(client: Connection, old: Old) -> None:
    job = started(client, "false")
    done(old, job, code=1)
    told = client.ask("GET", f"/jobs/{job['id']}").json()
    assert (told["status"], told["output"]) == ("FAILED", "it ended with 1")


def test_what_it_wrote_is_its_output(client: Connection, old: Old) -> None:
    job = started(client, "echo")
    done(old, job, wrote="grün\n".encode())
    assert client.ask("GET", f"/jobs/{job['id']}/log").json()["output"] == "grün\n"
    (told,) = [each for each in client.ask("GET", "/jobs/logs").json() if each["id"] == job["id"]]
    assert told == {"id": job["id"], "cmd": "echo", "status": "FINISHED", "output": "grün\n"}


@pytest.mark.parametrize("above", ABOVE)
def test_logs_are_told_newest_first(client: Connection, above: str) -> None:
    first, second = started(client, "true"), started(client, "true")
    ids = [job["id"] for job in client.ask("GET", f"{above}/jobs/logs").json()]
    assert ids.index(second["id"]) < ids.index(first["id"])
    assert ids == client.ask("GET", f"{above}/jobs").json()["idList"][::-1]


@pytest.mark.parametrize("above", ABOVE)
def test_one_that_waits_is_stopped(client: Connection, above: str) -> None:
    job = started(client, "true")
    answer = client.ask("DELETE", f"{above}/jobs/{job['id']}")
    assert (answer.status, answer.json()) == (200, {"success": True})
    assert client.ask("GET", f"/jobs/{job['id']}").json()["status"] == "CANCELED"
    assert refused(client.ask("DELETE", f"{above}/jobs/{job['id']}"), 409) == "the job has ended"


@pytest.mark.parametrize("kind", ["stopped", "timeout"])
def test_one_that_was_ended_while_it_ran_is_canceled(client: Connection, old: Old, kind: str) -> None:
    job = started(client, "sleep", "1")
    with old.worker("programs") as worker:
        while (claimed := worker.claim_one())["uid"] != job["id"]:
            worker.settle(claimed, "complete")
        worker.settle(claimed, "fail", error={"kind": kind, "text": "it was"}, retry=False)
    assert client.ask("GET", f"/jobs/{job['id']}").json()["status"] == "CANCELED"


@pytest.mark.parametrize("above", ABOVE)
def test_all_are_stopped_at_once(client: Connection, above: str) -> None:
    jobs = [started(client, "true") for _ in range(3)]
    assert client.ask("DELETE", f"{above}/jobs").json() == {"success": True}
    for job in jobs:
        assert client.ask("GET", f"/jobs/{job['id']}").json()["status"] == "CANCELED"


@pytest.mark.parametrize(("method", "below"), [("GET", ""), ("GET", "/log"), ("DELETE", "")])
@pytest.mark.parametrize("above", ABOVE)
def test_an_id_that_is_not_there_is_no_valid_one(
    client: Connection, method: str, below: str, above: str
) -> None:
    uid = str(uuid4())
    assert refused(client.ask(method, f"{above}/jobs/{uid}{below}"), 404) == f"{uid} is not a valid id"
    for junk in (MARKER, f"%3Cscript%3E{MARKER}", "%00", "1" * 1000):
        assert refused(client.ask(method, f"{above}/jobs/{junk}{below}"), 404) == "not a valid id"


@pytest.mark.parametrize(
    "cmd",
    [None, [], "ls -l", [""], ["ls", 1], ["ls", "a\0b"], {"a": 1}, ["x" * 101], ["x" * 50, "é" * 25]],
)
def test_what_is_no_command_is_refused(client: Connection, cmd: object) -> None:
    body = json.dumps({"cmd": cmd}).encode()
    assert refused(client.ask("POST", "/jobs", JSON, body), 400).startswith("cmd ")


def test_the_longest_command_is_taken(client: Connection) -> None:
    assert started(client, "x" * 50, "é" * 24)["status"] == "QUEUED"


@pytest.mark.parametrize("body", JUNK)
@pytest.mark.parametrize("above", ABOVE)
def test_junk_is_refused(client: Connection, body: bytes, above: str) -> None:
    refused(client.ask("POST", f"{above}/jobs", JSON, body), 400)


@pytest.mark.parametrize(
    "said", [{}, {"Content-Type": "text/plain"}, {"Content-Type": "multipart/form-data"}]
)
def test_what_a_page_could_send_unasked_is_no_job(client: Connection, said: dict[str, str]) -> None:
    refused(client.ask("POST", "/jobs", said, b'{"cmd": ["ls"]}'), 415)


def test_bytes_that_are_no_text_do_not_break_the_answer(client: Connection, old: Old) -> None:
    job = started(client, "cat")
    done(old, job, wrote=base64.b64decode("//79AA=="))
    assert client.ask("GET", f"/jobs/{job['id']}").json()["output"] == "\ufffd\ufffd\ufffd\0"
