"""POST /queues/{queue}/jobs."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from tests.support.api import Api
from tests.support.problem import problem


def test_a_job_is_made_and_found_where_its_location_says(owner: Api) -> None:
    answer = owner.here("POST", "/jobs", {"content": {"a": 1}})
    job = answer.json()
    assert answer.status == 201
    assert answer.header("Location") == f"/api/v2/queues/{owner.queue}/jobs/{job['uid']}"
    assert owner.get(job["uid"]) == job
    assert job == {
        "uid": job["uid"],
        "queue": owner.queue,
        "state": "queued",
        "priority": 50,
        "content": {"a": 1},
        "created": job["created"],
        "last_updated": job["created"],
        "attempt": 0,
    }


@pytest.mark.parametrize("content", ['{"b" : 1,  "a":2.50}', "[1, 2]", '"\\u00e4"', "null", "1e3", "true"])
def test_content_is_any_json_and_stays_as_it_came(owner: Api, content: str) -> None:
    created = owner.here("POST", "/jobs", f'{{"content":{content}}}'.encode())
    assert f'"content":{content},'.encode() in created.body
    assert f'"content":{content},'.encode() in owner.here("GET", f"/jobs/{created.json()['uid']}").body


def test_all_that_was_asked_for_is_shown(owner: Api) -> None:
    asked = {
        "priority": 7,
        "max_attempts": 3,
        "timeout": 30,
        "tags": ["red", "blue"],
        "unique_key": "k",
        "backoff": {"from": 1, "factor": 3.0, "to": 60, "jitter": 0.5},
    }
    job = owner.create(None, **asked, delay="10m", valid_for="2h")
    assert {name: job[name] for name in asked} == asked
    assert job["not_before"] > job["created"]
    assert job["expires"] > job["not_before"]


@pytest.mark.parametrize(
    ("duration", "shown"),
    [(90, 90), (1.5, 1.5), ("90s", 90), ("10m", 600), ("2h", 7200), ("7d", 604800), ("250ms", 0.25)],
)
def test_a_duration_is_a_number_of_seconds_or_a_text_with_its_unit(
    owner: Api, duration: object, shown: float
) -> None:
    assert owner.create(timeout=duration)["timeout"] == shown
    assert owner.create(backoff=[duration])["backoff"] == [shown]


def test_a_time_may_have_any_offset(owner: Api) -> None:
    assert owner.create(not_before="2096-01-31T10:00:00+02:00")["not_before"] == "2096-01-31T08:00:00.000Z"


def test_a_list_is_made_whole_and_answered_as_a_list(owner: Api) -> None:
    jobs = owner.expect(201, "POST", "/jobs", [{"content": number} for number in range(1000)])["jobs"]
    assert [job["content"] for job in jobs] == list(range(1000))
    assert len(owner.expect(201, "POST", "/jobs", [{"content": 1}])["jobs"]) == 1


def test_of_a_list_with_one_mistake_nothing_is_made(owner: Api) -> None:
    problem(owner.here("POST", "/jobs", [{"content": 1}, {"priority": 1}]), 422, "validation_failed")
    assert owner.list() == []


def test_a_list_has_from_one_to_a_thousand_jobs(owner: Api) -> None:
    problem(owner.here("POST", "/jobs", []), 422, "validation_failed")
    problem(owner.here("POST", "/jobs", [{"content": 1}] * 1001), 422, "validation_failed")


def test_the_same_uid_again_is_the_job_that_is_there(owner: Api) -> None:
    uid = str(uuid4())
    first = owner.create("first", uid=uid.upper())
    again = owner.expect(200, "POST", "/jobs", {"content": "again", "uid": uid})
    assert first["uid"] == uid
    assert again == {**first, "deduplicated": True}


def test_a_list_of_big_jobs_that_are_known_is_answered_without_holding_all_of_them(owner: Api) -> None:
    big = {"content": "x" * 900_000}
    uids = [owner.create(**big)["uid"] for _ in range(60)]
    before = owner.server.resident_bytes()
    answer = owner.here("POST", "/jobs", [{"content": None, "uid": uid} for uid in uids])
    assert (answer.status, [job["uid"] for job in answer.json()["jobs"]]) == (200, uids)
    assert all(job["deduplicated"] and job["content"] == big["content"] for job in answer.json()["jobs"])
    assert owner.server.resident_bytes() - before < 30_000_000


def test_a_unique_key_keeps_a_second_job_out_until_the_first_has_ended(owner: Api) -> None:
    first = owner.create("first", unique_key="k")
    second = owner.expect(200, "POST", "/jobs", {"content": "second", "unique_key": "k"})
    assert second == {**first, "deduplicated": True}
    assert owner.settle(owner.claim_one(), "complete").status == 200
    assert "deduplicated" not in owner.create("third", unique_key="k")


def test_a_unique_key_may_hold_for_a_window(owner: Api) -> None:
    first = owner.create("first", unique_key="k", unique_for="1h")
    owner.settle(owner.claim_one(), "complete")
    again = owner.expect(200, "POST", "/jobs", {"content": "second", "unique_key": "k"})
    assert (again["uid"], again["state"]) == (first["uid"], "complete")


def test_a_duplicate_may_replace_the_one_that_waits(owner: Api) -> None:
    first = owner.create("first", unique_key="k")
    body = {"content": "second", "unique_key": "k", "on_duplicate": "replace"}
    second = owner.expect(200, "POST", "/jobs", body)
    assert (second["uid"], second["content"]) == (first["uid"], "second")


def test_a_big_value_comes_back_byte_by_byte(owner: Api) -> None:
    content = "x" * 100_000
    jobs = owner.expect(201, "POST", "/jobs", [{"content": content}, {"content": 1}])["jobs"]
    assert [job["content"] for job in jobs] == [content, 1]
    assert owner.get(jobs[0]["uid"])["content"] == content
    assert owner.list()[0]["content"] == content


# --- Idempotency-Key ---


@pytest.mark.parametrize("again", ["key", '"key"'])
def test_the_same_request_again_makes_nothing(owner: Api, again: str) -> None:
    first = owner.expect(201, "POST", "/jobs", {"content": 1}, Idempotency_Key="key")
    second = owner.expect(200, "POST", "/jobs", {"content": 1}, Idempotency_Key=again)
    assert second["uid"] == first["uid"]
    assert len(owner.list()) == 1


def test_another_body_under_the_same_key_is_refused(owner: Api) -> None:
    owner.expect(201, "POST", "/jobs", {"content": 1}, Idempotency_Key="key")
    refused = owner.here("POST", "/jobs", {"content": 2}, Idempotency_Key="key")
    problem(refused, 422, "idempotency_key_reused")


def test_a_job_that_is_gone_is_said_to_be_gone(owner: Api) -> None:
    uid = owner.expect(201, "POST", "/jobs", {"content": 1}, Idempotency_Key="key")["uid"]
    owner.expect(204, "DELETE", f"/jobs/{uid}")
    gone = {"uid": uid, "queue": owner.queue, "state": "gone"}
    assert owner.expect(200, "POST", "/jobs", {"content": 1}, Idempotency_Key="key") == gone
    listed = owner.expect(201, "POST", "/jobs", [{"content": 1}, {"content": 2}], Idempotency_Key="list")
    owner.expect(204, "DELETE", f"/jobs/{listed['jobs'][0]['uid']}")
    again = owner.expect(200, "POST", "/jobs", [{"content": 1}, {"content": 2}], Idempotency_Key="list")
    assert {job["state"] for job in again["jobs"]} == {"queued", "gone"}


def test_a_key_of_another_service_is_another_key(owner: Api, writer: Api) -> None:
    first = owner.expect(201, "POST", "/jobs", {"content": 1}, Idempotency_Key="key")
    second = writer.expect(201, "POST", "/jobs", {"content": 2}, Idempotency_Key="key")
    assert first["uid"] != second["uid"]


@pytest.mark.parametrize("key", ["", '""', "k" * 256])
def test_a_key_has_from_1_to_255_characters(owner: Api, key: str) -> None:
    problem(owner.here("POST", "/jobs", {"content": 1}, Idempotency_Key=key), 422, "validation_failed")


# --- Prefer ---


def test_who_wants_the_least_gets_the_uid(owner: Api) -> None:
    answer = owner.here("POST", "/jobs", {"content": 1}, Prefer="return=minimal")
    assert answer.json() == {"uid": owner.list()[0]["uid"]}
    assert answer.header("Preference-Applied") == "return=minimal"


def test_who_wants_the_least_of_a_list_gets_the_uids(owner: Api) -> None:
    uids = owner.expect(201, "POST", "/jobs", [{"content": 1}, {"content": 2}], Prefer="return=minimal")
    assert uids == {"uids": [job["uid"] for job in owner.list()]}


def test_who_waits_gets_the_job_when_it_has_ended(owner: Api, reader: Api) -> None:
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(owner.here, "POST", "/jobs", {"content": 1}, Prefer="wait=20")
        job = reader.claim_one(wait=20)
        assert reader.settle(job, "complete", result={"sum": 3}).status == 200
        answer = asked.result(20)
    assert (answer.status, answer.json()["state"], answer.json()["result"]) == (201, "complete", {"sum": 3})
    assert answer.header("Preference-Applied") == "wait=20"


def test_who_waits_too_short_gets_the_job_as_it_is(owner: Api) -> None:
    answer = owner.here("POST", "/jobs", {"content": 1}, Prefer="respond-async, wait=0")
    assert (answer.status, answer.json()["state"]) == (201, "queued")


def test_nobody_waits_for_a_list_or_for_an_hour(owner: Api) -> None:
    problem(owner.here("POST", "/jobs", [{"content": 1}], Prefer="wait=1"), 422, "validation_failed")
    problem(owner.here("POST", "/jobs", {"content": 1}, Prefer="wait=3600"), 422, "validation_failed")
    assert owner.list() == []


def test_a_list_with_a_key_is_answered_in_the_same_order_when_some_are_gone(owner: Api) -> None:
    asked = [{"content": number} for number in range(3)]
    made = [job["uid"] for job in owner.here("POST", "/jobs", asked, Idempotency_Key="list").json()["jobs"]]
    assert owner.here("DELETE", f"/jobs/{made[0]}").status == 204
    again = owner.here("POST", "/jobs", asked, Idempotency_Key="list").json()["jobs"]
    assert [(job["uid"], job["state"]) for job in again] == list(
        zip(made, ("gone", "queued", "queued"), strict=True)
    )
    assert [job.get("deduplicated") for job in again] == [None, True, True]
    short = owner.here("POST", "/jobs", asked, Idempotency_Key="list", Prefer="return=minimal").json()
    assert short == {"uids": made}


def test_a_span_of_uniqueness_that_is_none_is_told_all_that_there_are(owner: Api) -> None:
    refused = owner.here("POST", "/jobs", {"content": 1, "unique_key": "k", "unique_for": "ever"})
    detail = problem(refused, 422, "validation_failed")["errors"][0]["detail"]
    assert detail.startswith("is neither queued nor active; a duration must be a number of seconds")
