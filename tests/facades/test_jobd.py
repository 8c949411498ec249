"""jobd's routes, as its document has them."""

import base64
import json
from typing import Any
from urllib.parse import quote
from uuid import uuid4, uuid5

import pytest

from jobengine.facades.jobd import IDS
from tests.facades.conftest import JSON, Old
from tests.facades.junk import JUNK
from tests.support.connection import Answer, Connection
from tests.support.problem import MARKER

ZIP = base64.b64encode(b"PK\x05\x06" + bytes(18)).decode()
FIELDS = ["ID", "Status", "Input", "Path", "Output", "Message", "Slurml", "SlurmID", "LastUpdated"]


def upload(client: Connection, **fields: object) -> Answer:
    """A job is brought."""
    return client.ask("POST", "/api/upload", JSON, json.dumps(fields).encode())


def uploaded(client: Connection, **fields: object) -> Any:
    """The new job."""
    answer = upload(client, Input=ZIP, **fields)
    assert answer.status == 201, answer.body
    return answer.json()


def refused(answer: Answer, status: int) -> str:
    """What a refusal says."""
    assert answer.status == status, answer.body
    assert MARKER not in answer.body.decode()
    assert set(answer.json()) == {"error"}
    return str(answer.json()["error"])


def claim(worker: Any, id_: str) -> Any:
    """The worker gets this one; those before it are done."""
    while (claimed := worker.claim_one())["uid"] != str(uuid5(IDS, id_)):
        worker.settle(claimed, "complete")
    return claimed


def test_a_job_goes_through_its_statuses(client: Connection, old: Old) -> None:
    id_ = f"job-{uuid4()}"
    job = uploaded(client, ID=id_)
    assert list(job) == FIELDS
    assert (job["ID"], job["Status"], job["Input"], job["Path"], job["Output"]) == (
        id_,
        "Pending",
        "",
        "",
        "",
    )
    answer = client.ask("GET", f"/api/get/{id_}")
    assert (answer.status, answer.json()) == (206, job)
    with old.worker("bundles") as worker:
        claimed = claim(worker, id_)
        assert claimed["content"] == {"archive": ZIP}
        answer = client.ask("GET", f"/api/get/{id_}")
        assert (answer.status, answer.json()["Status"]) == (206, "Processing")
        worker.settle(claimed, "complete", result={"exit_code": 0, "archive": ZIP})
    answer = client.ask("GET", f"/api/get/{id_}")
    assert answer.status == 200
    told = answer.json()
    assert (told["Status"], told["Output"], told["Input"], told["Path"]) == ("Completed", ZIP, "", "")


def test_the_routes_are_there_without_their_prefix_too(client: Connection) -> None:
    id_ = f"job-{uuid4()}"
    body = json.dumps({"ID": id_, "Input": ZIP}).encode()
    assert client.ask("POST", "/upload", JSON, body).status == 201
    assert client.ask("GET", f"/get/{id_}").json()["ID"] == id_
    assert client.ask("GET", f"/download/{id_}").status == client.ask("GET", f"/api/download/{id_}").status


def test_the_download_is_the_zip_itself(client: Connection, old: Old) -> None:
    id_ = f"job-{uuid4()}"
    uploaded(client, ID=id_)
    answer = client.ask("GET", f"/api/download/{id_}")
    assert (answer.status, answer.json()["Status"]) == (206, "Pending")
    with old.worker("bundles") as worker:
        worker.settle(claim(worker, id_), "complete", result={"archive": ZIP})
    answer = client.ask("GET", f"/api/download/{id_}")
    assert (answer.status, answer.header("Content-Type")) == (200, "application/zip")
    assert answer.body == base64.b64decode(ZIP)
    assert answer.header("X-Content-Type-Options") == "nosniff"


def test_one_that_failed_says_why_and_keeps_what_it_left(client: Connection, old: Old) -> None:
    id_ = f"job-{uuid4()}"
    uploaded(client, ID=id_)
    with old.worker("bundles") as worker:
        error = {"kind": "exit_code", "text": "run.sh ended with 3"}
        worker.settle(claim(worker, id_), "fail", error=error, retry=False, result={"archive": ZIP})
    answer = client.ask("GET", f"/api/get/{id_}")
    told = answer.json()
    assert (answer.status, told["Status"], told["Message"]) == (200, "Failed", "run.sh ended with 3")
    assert told["Output"] == ZIP


def test_a_failed_one_that_left_nothing_has_no_download(client: Connection, old: Old) -> None:
    id_ = f"job-{uuid4()}"
    uploaded(client, ID=id_)
    with old.worker("bundles") as worker:
        worker.settle(claim(worker, id_), "fail", error={"kind": "archive", "text": "no zip"}, retry=False)
    refused(client.ask("GET", f"/api/download/{id_}"), 404)


def test_names_of_fields_have_any_case_and_an_id_is_made(client: Connection) -> None:
    answer = client.ask("POST", "/api/upload", JSON, json.dumps({"input": ZIP, "slurml": False}).encode())
    assert answer.status == 201
    id_ = answer.json()["ID"]
    assert client.ask("GET", f"/api/get/{id_}").json()["ID"] == id_
    again = client.ask("POST", "/api/upload", JSON, json.dumps({"INPUT": ZIP, "id": id_ + "x"}).encode())
    assert again.json()["ID"] == id_ + "x"


def test_an_id_is_taken_for_as_long_as_its_job_is_there(client: Connection, old: Old) -> None:
    id_ = f"job-{uuid4()}"
    uploaded(client, ID=id_)
    assert refused(upload(client, ID=id_, Input=ZIP), 400) == "this ID is taken"
    assert refused(upload(client, ID=id_, Input=ZIP, Slurml=True), 400) == "this ID is taken"
    with old.worker("bundles") as worker:
        worker.settle(claim(worker, id_), "complete")
        assert refused(upload(client, ID=id_, Input=ZIP), 400) == "this ID is taken"
        assert worker.here("DELETE", f"/jobs/{uuid5(IDS, id_)}").status == 204
    uploaded(client, ID=id_)


def test_an_id_that_was_made_is_taken_too(client: Connection) -> None:
    made = uploaded(client)
    assert refused(upload(client, ID=made["ID"], Input=ZIP), 400) == "this ID is taken"


def test_one_for_slurm_goes_to_its_queue_and_is_partial_while_it_runs(client: Connection, old: Old) -> None:
    id_ = f"job-{uuid4()}"
    job = uploaded(client, ID=id_, Slurml=True)
    assert (job["Slurml"], job["SlurmID"]) == (True, 0)
    with old.worker("slurm") as worker:
        claimed = claim(worker, id_)
        answer = worker.settle(claimed, "progress", progress={"slurm_id": 17, "archive": ZIP})
        assert answer.status in (200, 204), answer.body
        told = client.ask("GET", f"/api/get/{id_}")
        assert told.status == 206
        assert (told.json()["Status"], told.json()["Output"], told.json()["SlurmID"]) == ("Partial", ZIP, 17)
        worker.settle(claimed, "complete", result={"slurm_id": 17, "archive": ZIP})
    assert client.ask("GET", f"/api/get/{id_}").json()["Status"] == "Completed"


@pytest.mark.parametrize("id_", ["a b", "100%", "é?#", "a+b", "\t", "%2F", "'\"<&"])
def test_an_id_may_be_any_text(client: Connection, id_: str) -> None:
    uploaded(client, ID=id_)
    answer = client.ask("GET", f"/api/get/{quote(id_, safe='')}")
    assert (answer.status, answer.json()["ID"]) == (206, id_)


@pytest.mark.parametrize("route", ["get", "download"])
@pytest.mark.parametrize("id_", ["none", MARKER, "%00", "%ff", "a%2Fb", "x" * 1000, str(uuid5(IDS, "none"))])
def test_an_id_that_is_not_there_is_not_found(client: Connection, route: str, id_: str) -> None:
    answer = client.ask("GET", f"/api/{route}/{id_}")
    assert answer.status == 404
    assert MARKER not in answer.body.decode()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"Input": ""},
        {"Input": None},
        {"Input": 1},
        {"Input": "no base64!"},
        {"Input": ZIP + "="},
        {"Input": ZIP[:-1]},
        {"Input": ZIP, "ID": 1},
        {"Input": ZIP, "ID": "a/b"},
        {"Input": ZIP, "ID": "{a}"},
        {"Input": ZIP, "ID": ".."},
        {"Input": ZIP, "ID": "x" * 257},
        {"Input": ZIP, "Slurml": "yes"},
    ],
)
def test_what_is_no_job_is_refused(client: Connection, fields: dict[str, object]) -> None:
    refused(upload(client, **fields), 400)


@pytest.mark.parametrize("body", JUNK)
def test_junk_is_refused(client: Connection, body: bytes) -> None:
    refused(client.ask("POST", "/api/upload", JSON, body), 400)


def test_a_body_must_be_said_to_be_json(client: Connection) -> None:
    refused(client.ask("POST", "/api/upload", {}, json.dumps({"Input": ZIP}).encode()), 415)
