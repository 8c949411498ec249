"""jobrunner's routes, as its document has them."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.facades.conftest import JSON, PASSWORD, Old
from tests.facades.junk import JUNK
from tests.support.connection import Answer, Connection
from tests.support.problem import MARKER

SAID = {"X-JR-PASSWORD": PASSWORD}
DATA = base64.b64encode(b"koko1234\n").decode()
LALA = base64.b64encode(b"lala\n").decode()


def send(client: Connection, **fields: object) -> Answer:
    """A request, whose answer comes when it has been run."""
    return client.ask("POST", "/payload", JSON | SAID, json.dumps(fields).encode())


def refused(answer: Answer, status: int) -> str:
    """What a refusal says."""
    assert answer.status == status, answer.body
    assert MARKER not in answer.body.decode()
    assert set(answer.json()) == {"message"}
    return str(answer.json()["message"])


def claimed(worker: Any) -> Any:
    """The next job, as soon as there is one."""
    (job,) = worker.claim(wait=10)
    return job


def answered(old: Old, client: Connection, verb: str, **said: Any) -> Any:
    """What the client gets when its job ends so."""
    with old.worker("payloads") as worker, ThreadPoolExecutor(1) as threads:
        sending = threads.submit(send, client, id="1235", data=DATA)
        job = claimed(worker)
        assert job["content"] == {"id": "1235", "data": DATA}
        assert worker.settle(job, verb, **said).status == 200
        answer = sending.result()
    assert answer.status == 200
    return answer.json()


def test_the_answer_is_what_came_of_it(old: Old, jobrunner_client: Connection) -> None:
    result = {
        "exit_code": 0,
        "seconds": 3.146105833,
        "worker_id": 2,
        "data": DATA,
        "output": LALA,
        "errors": LALA,
    }
    assert answered(old, jobrunner_client, "complete", result=result) == {
        "data": DATA,
        "worker_id": 2,
        "elapsed_sec": 3.146105833,
        "exit_status": 0,
        "error": LALA,
        "output": LALA,
    }


def test_a_command_that_failed_is_answered_too(old: Old, jobrunner_client: Connection) -> None:
    result = {"exit_code": 3, "seconds": 0.5, "worker_id": 1, "data": "", "output": "", "errors": LALA}
    error = {"kind": "exit_code", "text": "it ended with 3"}
    answer = answered(old, jobrunner_client, "fail", error=error, retry=False, result=result)
    assert (answer["exit_status"], answer["error"], answer["message"]) == (3, LALA, "it ended with 3")


def test_one_that_never_ran_has_no_exit_status(old: Old, jobrunner_client: Connection) -> None:
    error = {"kind": "not_found", "text": "/bin/none is not there"}
    answer = answered(old, jobrunner_client, "fail", error=error, retry=False)
    assert (answer["exit_status"], answer["message"]) == (-1, "/bin/none is not there")


def test_who_goes_away_stops_the_job(old: Old) -> None:
    with old.worker("payloads") as worker:
        with Connection(old.jobrunner_port) as client:
            body = json.dumps({"id": "1", "data": DATA}).encode()
            head = f"POST /payload HTTP/1.1\r\nHost: localhost\r\nX-JR-PASSWORD: {PASSWORD}\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            client.send(head.encode() + body)
            job = claimed(worker)
        while worker.settle(job, "extend").json()["control"] != "stop":  # as a worker does that renews it
            pass
        worker.settle(job, "fail", error={"kind": "stopped", "text": "it was stopped"}, retry=False)
        assert worker.get(job["uid"])["state"] == "failed"


@pytest.mark.parametrize("said", [{}, {"X-JR-PASSWORD": ""}, {"X-JR-PASSWORD": MARKER}])
def test_nobody_has_anything_run_without_the_password(
    jobrunner_client: Connection, said: dict[str, str]
) -> None:
    refused(jobrunner_client.ask("POST", "/payload", JSON | said, b"{}"), 401)


@pytest.mark.parametrize("path", ["/status", "/metrics"])
def test_everybody_sees_how_much_there_is_to_do(jobrunner_client: Connection, path: str) -> None:
    assert jobrunner_client.ask("GET", path).status == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "", "data": DATA},
        {"id": "1", "data": ""},
        {"data": DATA},
        {"id": "1"},
        {"id": 1, "data": DATA},
        {"id": "a\0b", "data": DATA},
        {"id": "x" * 1025, "data": DATA},
        {"id": "1", "data": "no base64!"},
        {"id": "1", "data": DATA + "===="},
    ],
)
def test_what_is_no_request_is_refused(jobrunner_client: Connection, fields: dict[str, object]) -> None:
    refused(send(jobrunner_client, **fields), 400)


@pytest.mark.parametrize("body", JUNK)
def test_junk_is_refused(jobrunner_client: Connection, body: bytes) -> None:
    refused(jobrunner_client.ask("POST", "/payload", JSON | SAID, body), 400)


def test_too_many_that_wait_are_turned_away_at_once(old: Old, jobrunner_client: Connection) -> None:
    with old.worker("payloads") as worker:
        jobs = [worker.create({"id": "1", "data": DATA}) for _ in range(11)]
        assert "more than 10" in refused(send(jobrunner_client, id="1", data=DATA), 503)
        status = jobrunner_client.ask("GET", "/status", SAID).json()
        assert (status["status"], status["workers"]) == ("ok", 0)
        assert (status["jobs_waiting"], status["jobs_running"]) == (11, 0)
        assert (status["queued_jobs"], type(status["total_jobs"])) == (11, int)  # as jobrunner has them
        assert b"queued_jobs 11\n" in jobrunner_client.ask("GET", "/metrics", SAID).body
        for job in jobs:
            worker.here("DELETE", f"/jobs/{job['uid']}")


def test_its_metrics_are_its_own_and_no_others(old: Old, jobrunner_client: Connection) -> None:
    result = {"exit_code": 0, "seconds": 0.25, "worker_id": 7}
    answered(old, jobrunner_client, "complete", result=result)
    answered(old, jobrunner_client, "complete", result=result)
    answer = jobrunner_client.ask("GET", "/metrics", SAID)
    assert answer.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.body.decode().splitlines()
    assert 'total_jobs{worker_id="7"} 2' in lines
    assert 'job_duration_sum{worker_id="7"} 0.500000' in lines
    assert 'job_duration_count{worker_id="7"} 2' in lines
    names = {line.split("{")[0].split(" ")[0] for line in lines if not line.startswith("#")}
    assert names == {"queued_jobs", "total_jobs", "job_duration_sum", "job_duration_count"}


def test_nothing_else_is_served_there(jobrunner_client: Connection) -> None:
    assert jobrunner_client.ask("GET", "/api/v2/queues", SAID | {"X-Name": "worker"}).status == 404
