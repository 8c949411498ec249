"""CreateJob, as the document of API v1 says."""

import json
import time
import uuid

import pytest

from tests.support.service import Service

FIELDS = ["content", "created", "last_updated", "priority", "state", "timeout_time", "uid"]
TEN_YEARS = 315_360_000


def body(**changes: object) -> bytes:
    return json.dumps({"content": {"job": "content"}, "valid_for": 600, "priority": 80} | changes).encode()


def test_a_new_job_is_answered_as_documented(writer: Service) -> None:
    before = int(time.time())
    answer = writer.send_create(body())
    job = answer.json()
    assert (answer.status, answer.reason) == (201, "Created")
    assert answer.header("Content-Type") == "application/json"
    assert list(job) == FIELDS
    assert before <= job["created"] <= int(time.time()) + 1
    assert job == {
        "content": {"job": "content"},
        "created": job["created"],
        "last_updated": job["created"],
        "priority": 80,
        "state": "queued",
        "timeout_time": job["created"] + 600,
        "uid": str(uuid.UUID(job["uid"])),
    }


def test_all_numbers_of_a_job_are_integers_in_seconds(owner: Service) -> None:
    owner.create()
    for job in (owner.claim(), owner.jobs()["0"]):
        assert {type(job[name]) for name in ("created", "last_updated", "priority", "timeout_time")} == {int}


def test_uids_are_unique(writer: Service) -> None:
    assert len({writer.create()["uid"] for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"priority": 1}, 201),
        ({"priority": 100}, 201),
        ({"priority": 0}, 400),
        ({"priority": 101}, 400),
        ({"priority": -1}, 400),
        ({"priority": 50.5}, 400),
        ({"priority": "50"}, 400),
        ({"priority": True}, 400),
        ({"priority": None}, 400),
        ({"priority": 10**30}, 400),
        ({"valid_for": 1}, 201),
        ({"valid_for": TEN_YEARS}, 201),
        ({"valid_for": TEN_YEARS + 1}, 400),
        ({"valid_for": 0}, 400),
        ({"valid_for": -5}, 400),
        ({"valid_for": 0.5}, 400),
        ({"valid_for": "600"}, 400),
        ({"valid_for": None}, 400),
        ({"valid_for": 10**400}, 400),
        ({"content": {}}, 201),
        ({"content": []}, 400),
        ({"content": "text"}, 400),
        ({"content": None}, 400),
        ({"content": 5}, 400),
    ],
    ids=lambda value: json.dumps(value)[:30],
)
def test_values_have_their_range(writer: Service, changes: dict[str, object], status: int) -> None:
    answer = writer.send_create(body(**changes))
    assert answer.status == status
    if status == 400:
        problem = answer.json()
        assert problem["code"] == "validation_failed"
        assert [each["pointer"] for each in problem["errors"]] == [f"/{name}" for name in changes]


def test_what_is_refused_leaves_nothing_behind(owner: Service) -> None:
    for refused in (body(priority=0), body(content=[]), b"{", b"", b"[]", b"null"):
        assert owner.send_create(refused).status == 400
    assert owner.jobs() == {}


@pytest.mark.parametrize("name", ["content", "valid_for", "priority"])
def test_a_missing_field_is_named(writer: Service, name: str) -> None:
    fields = json.loads(body())
    del fields[name]
    problem = writer.send_create(json.dumps(fields).encode()).json()
    assert problem["errors"] == [{"pointer": f"/{name}", "detail": "is missing"}]


def test_all_that_is_wrong_is_told_at_once(writer: Service) -> None:
    problem = writer.send_create(body(content=1, valid_for=0, priority=101)).json()
    assert [each["pointer"] for each in problem["errors"]] == ["/content", "/valid_for", "/priority"]


@pytest.mark.parametrize("value", [b"[]", b"null", b"5", b'"text"', b"true"])
def test_a_body_that_is_no_object_is_refused(writer: Service, value: bytes) -> None:
    answer = writer.send_create(value)
    assert (answer.status, answer.json()["code"]) == (400, "validation_failed")


def test_unknown_fields_are_ignored(writer: Service) -> None:
    answer = writer.send_create(body(colour="red", state="failed", uid="mine", created=1))
    assert answer.status == 201
    assert list(answer.json()) == FIELDS
    assert answer.json()["state"] == "queued"
    assert answer.json()["uid"] != "mine"


def test_a_number_with_a_point_or_an_exponent_is_no_integer(writer: Service) -> None:
    problem = writer.send_create(b'{"content":{},"valid_for":6e2,"priority":50.0}').json()
    assert [each["pointer"] for each in problem["errors"]] == ["/valid_for", "/priority"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "application/json"},
        {"X-Content-Type": "application/json"},
        {"Content-Type": "application/json; charset=utf-8"},
        {"Content-Type": "Application/JSON"},
        {"Content-Type": "text/plain", "X-Content-Type": "application/json"},
        {"Content-Type": "application/json", "X-Content-Type": "text/plain"},
    ],
    ids=str,
)
def test_either_header_may_name_json_and_none_is_needed(writer: Service, headers: dict[str, str]) -> None:
    assert writer.ask("PUT", "/api/v1/jobs/create", body(), **headers).status == 201


@pytest.mark.parametrize("name", ["Content-Type", "X-Content-Type"])
@pytest.mark.parametrize("value", ["text/plain", "application/xml", "application/jsonx", "json", "text/json"])
def test_another_type_is_refused(writer: Service, name: str, value: str) -> None:
    answer = writer.ask("PUT", "/api/v1/jobs/create", body(), **{name: value})
    assert (answer.status, answer.json()["code"]) == (415, "unsupported_media_type")
