"""What holders say of their jobs."""

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.problem import problem


@pytest.fixture
def job(owner: Api) -> Any:
    """One that the owner has claimed."""
    owner.create({"n": 1}, max_attempts=3)
    return owner.claim_one(lease="60s")


def test_a_completed_job_has_its_result(owner: Api, job: Any) -> None:
    done = owner.settle(job, "complete", result=[1, {"a": None}]).json()
    assert (done["state"], done["result"]) == ("complete", [1, {"a": None}])
    assert "lease" not in done
    assert owner.get(job["uid"]) == done


@pytest.mark.parametrize("error", ["boom", {"kind": "Boom", "text": "boom"}], ids=str)
def test_a_failed_job_waits_for_its_next_attempt_with_its_error(owner: Api, job: Any, error: object) -> None:
    failed = owner.settle(job, "fail", error=error, delay="1h").json()
    assert (failed["state"], failed["attempt"]) == ("queued", 1)
    assert failed["not_before"] > failed["last_updated"]
    (told,) = failed["errors"]
    assert (told["attempt"], told["reason"], told["text"]) == (1, "error", "boom")


def test_a_job_that_is_not_to_be_retried_has_failed(owner: Api, job: Any) -> None:
    failed = owner.settle(job, "fail", error="bad input", retry=False).json()
    assert (failed["state"], failed["reason"]) == ("failed", "error")


def test_a_released_job_has_made_no_attempt(owner: Api, job: Any) -> None:
    released = owner.settle(job, "release").json()
    assert (released["state"], released["attempt"]) == ("queued", 0)
    again = owner.claim_one()
    assert (again["attempt"], again["lease"]["epoch"]) == (1, 2)


def test_an_extended_lease_ends_later_and_its_holder_hears_what_is_asked(owner: Api, job: Any) -> None:
    extended = owner.settle(job, "extend", by="2h").json()
    assert extended["lease"]["expires"] > job["lease"]["expires"]
    assert extended["lease"]["id"] == job["lease"]["id"]
    assert extended["control"] == "run"
    owner.do(job["uid"], "stop")
    assert owner.settle(job, "extend").json()["control"] == "stop"


def test_progress_is_any_json_of_4_kib(owner: Api, job: Any) -> None:
    assert owner.settle(job, "progress", progress={"done": 3, "of": 10}).json()["control"] == "run"
    assert owner.get(job["uid"])["progress"] == {"done": 3, "of": 10}
    problem(owner.settle(job, "progress", progress="x" * 5000), 422, "validation_failed")


@pytest.mark.parametrize("verb", ["complete", "fail", "release", "extend"])
def test_a_stale_holder_changes_nothing(owner: Api, job: Any, verb: str) -> None:
    owner.settle(job, "release")
    current = owner.claim_one()
    problem(owner.settle(job, verb), 409, "lease_lost")
    assert owner.settle(current, "complete").status == 200


def test_a_lease_that_is_none_is_refused(owner: Api, job: Any) -> None:
    for lease in ("", "0" * 15, "G" * 16, 17, None):
        refused = owner.here("POST", f"/jobs/{job['uid']}/complete", {"lease": lease})
        problem(refused, 422, "validation_failed")
    assert owner.get(job["uid"])["state"] == "inprogress"


def test_each_of_many_is_settled_by_itself_and_in_order(owner: Api) -> None:
    owner.expect(201, "POST", "/jobs", [{"content": number, "max_attempts": 2} for number in range(5)])
    one, two, three, four, five = owner.claim(max=5)

    def held(job: Any, **said: object) -> dict[str, object]:
        return {"uid": job["uid"], "lease": job["lease"]["id"], **said}

    said = {
        "progress": [held(five, progress=0.5)],
        "extend": [held(four, by=90)],
        "release": [held(three)],
        "fail": [held(two, error="boom"), held(two, error="again")],
        "complete": [held(one, result=1)],
    }
    results = owner.expect(200, "POST", "/settle", said)["results"]
    assert [result["status"] for result in results] == [200, 200, 409, 200, 200, 200]
    assert [result["uid"] for result in results] == [
        each["uid"] for each in (one, two, two, three, four, five)
    ]
    states = [result["job"]["state"] for result in results if "job" in result]
    assert states == ["complete", "queued", "queued", "inprogress", "inprogress"]
    assert results[2]["problem"]["code"] == "lease_lost"
    assert [result.get("control") for result in results[4:]] == ["run", "run"]


def test_who_wants_the_least_gets_no_jobs_back(owner: Api, job: Any) -> None:
    said = {"complete": [{"uid": job["uid"], "lease": job["lease"]["id"]}]}
    answer = owner.here("POST", "/settle", said, Prefer="return=minimal")
    assert answer.json() == {"results": [{"uid": job["uid"], "status": 200}]}


def test_nothing_and_too_much_are_refused(owner: Api, job: Any) -> None:
    one = {"uid": job["uid"], "lease": job["lease"]["id"]}
    for said in ({}, {"complete": []}, {"extend": [one] * 1001}, {"done": [one]}):
        problem(owner.here("POST", "/settle", said), 422, "validation_failed")
    assert owner.get(job["uid"])["state"] == "inprogress"


def test_a_job_of_another_queue_is_not_settled_here(owner: Api, job: Any) -> None:
    said = {"complete": [{"uid": job["uid"], "lease": job["lease"]["id"]}]}
    (result,) = owner.ask("POST", "/queues/queue-0/settle", said).json()["results"]
    assert (result["status"], result["problem"]["code"]) == (404, "not_found")
    assert owner.get(job["uid"])["state"] == "inprogress"


def test_a_big_result_comes_back(owner: Api, job: Any) -> None:
    assert owner.settle(job, "complete", result="r" * 200_000).json()["result"] == "r" * 200_000
    assert owner.get(job["uid"])["result"] == "r" * 200_000


def test_a_long_answer_leaves_out_the_jobs_behind_8_mib(owner: Api) -> None:
    content = "x" * 900_000
    for _ in range(11):
        owner.create(content)
    held = [job for _ in range(2) for job in owner.claim(max=10)]
    assert len(held) == 11
    said = {"extend": [{"uid": job["uid"], "lease": job["lease"]["id"]} for job in held]}
    results = owner.expect(200, "POST", "/settle", said)["results"]
    assert [result["status"] for result in results] == [200] * 11
    assert ["job" in result for result in results] == [True] * 10 + [False]
    assert [result["control"] for result in results] == ["run"] * 11


def test_a_settlement_waits_for_nothing_and_does_not_say_that_it_does(owner: Api, job: Any) -> None:
    said = {"complete": [{"uid": job["uid"], "lease": job["lease"]["id"]}]}
    answer = owner.here("POST", "/settle", said, Prefer="wait=5, return=minimal")
    assert answer.header("Preference-Applied") == "return=minimal"
