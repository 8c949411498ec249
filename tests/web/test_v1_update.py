"""UpdateJob: any status from any, what is named and nothing else, all or nothing."""

import json
import time
from itertools import product

import pytest

from tests.support.service import Service

STATES = ["queued", "inprogress", "complete", "failed"]


def job_in(owner: Service, state: str) -> str:
    uid = owner.create({"number": 1})["uid"]
    if state != "queued":
        owner.update(uid, status=state)
    return str(uid)


@pytest.mark.parametrize(("before", "after"), list(product(STATES, STATES)))
def test_any_status_may_follow_any(owner: Service, before: str, after: str) -> None:
    uid = job_in(owner, before)
    assert owner.update(uid, status=after)["state"] == after
    assert list(owner.jobs(X_Status_Filter=after)) == ["0"]
    claimed = owner.claim()
    assert (claimed is not None) == (after == "queued")


def test_an_update_answers_200_with_the_whole_job(owner: Service) -> None:
    job = owner.create()
    answer = owner.send_update(job["uid"], b'{"priority":3}')
    assert answer.status == 200
    assert answer.json() == job | {"priority": 3, "last_updated": answer.json()["last_updated"]}
    assert answer.json()["last_updated"] > job["created"]


def test_an_update_changes_all_that_it_names(owner: Service) -> None:
    uid = owner.create()["uid"]
    later = int(time.time()) + 5000
    job = owner.update(uid, status="failed", content={"b": [1]}, timeout_time=later, priority=99)
    assert job == owner.get(uid)
    assert (job["state"], job["content"], job["timeout_time"], job["priority"]) == (
        "failed",
        {"b": [1]},
        later,
        99,
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "done"},
        {"status": "gone"},
        {"status": "Queued"},
        {"status": None},
        {"status": ["queued"]},
        {"priority": 0},
        {"priority": 101},
        {"priority": "9"},
        {"priority": None},
        {"content": []},
        {"content": "x"},
        {"content": None},
        {"timeout_time": "soon"},
        {"timeout_time": 1.5},
        {"timeout_time": None},
        {"timeout_time": -1},
        {"timeout_time": 253402300800},
        {"timeout_time": 10**40},
    ],
    ids=str,
)
def test_one_wrong_value_and_nothing_is_changed(owner: Service, wrong: dict[str, object]) -> None:
    job = owner.create()
    right = {"status": "complete", "content": {"new": 1}, "priority": 5, "timeout_time": 2_000_000_000}
    for changes in (wrong, right | wrong):
        answer = owner.send_update(job["uid"], json.dumps(changes).encode())
        assert (answer.status, answer.json()["code"]) == (400, "validation_failed")
        assert [each["pointer"] for each in answer.json()["errors"]] == [f"/{name}" for name in wrong]
    assert owner.get(job["uid"]) == job


@pytest.mark.parametrize("nothing", [b"{}", b'{"state":"complete"}', b'{"Status":"complete","x":1}'])
def test_an_update_that_names_nothing_is_refused(owner: Service, nothing: bytes) -> None:
    uid = owner.create()["uid"]
    answer = owner.send_update(uid, nothing)
    assert (answer.status, answer.json()["code"]) == (400, "validation_failed")


def test_unknown_fields_are_ignored(owner: Service) -> None:
    job = owner.create()
    updated = owner.update(job["uid"], priority=9, uid="other", created=1, colour=[None])
    assert updated == job | {"priority": 9, "last_updated": updated["last_updated"]}


def test_a_timeout_in_the_past_removes_a_queued_job(owner: Service) -> None:
    uid = owner.create()["uid"]
    answer = owner.send_update(uid, json.dumps({"timeout_time": int(time.time()) - 10}).encode())
    assert answer.status == 200
    assert answer.json()["uid"] == uid
    assert owner.ask("GET", f"/api/v1/jobs/{uid}").status == 404
    assert owner.jobs() == {}
    assert owner.claim() is None


def test_a_timeout_in_the_past_is_nothing_to_a_job_in_progress(owner: Service) -> None:
    owner.create()
    uid = owner.claim()["uid"]
    assert owner.update(uid, timeout_time=1)["timeout_time"] == 1
    assert owner.get(uid)["state"] == "inprogress"


def test_a_job_put_back_past_its_end_fails_and_does_not_vanish(owner: Service) -> None:
    owner.create()
    uid = owner.claim()["uid"]
    owner.update(uid, timeout_time=1)
    assert owner.update(uid, status="queued")["state"] == "failed"
    assert owner.get(uid)["state"] == "failed"


def test_a_job_put_back_with_a_new_end_waits_for_it(owner: Service) -> None:
    owner.create()
    uid = owner.claim()["uid"]
    owner.update(uid, timeout_time=1)
    later = int(time.time()) + 1000
    assert owner.update(uid, status="queued", timeout_time=later)["state"] == "queued"
    assert owner.claim()["uid"] == uid


def test_a_job_of_nobody_is_404(owner: Service) -> None:
    for uid in ("00000000-0000-0000-0000-000000000000", "x", "%00", "..%2f", "create%20", "é".encode().hex()):
        assert owner.send_update(uid, b'{"priority":1}').status == 404


def test_a_deleted_job_is_gone(owner: Service) -> None:
    uids = [owner.create()["uid"] for _ in range(2)]
    answer = owner.ask("DELETE", f"/api/v1/jobs/{uids[0]}")
    assert (answer.status, answer.body) == (204, b"")
    for method, body in (("GET", None), ("DELETE", None), ("POST", b'{"priority":1}')):
        assert owner.ask(method, f"/api/v1/jobs/{uids[0]}", body).status == 404
    assert [job["uid"] for job in owner.jobs().values()] == [uids[1]]


@pytest.mark.parametrize("state", STATES)
def test_a_job_of_any_state_can_be_deleted(owner: Service, state: str) -> None:
    uid = job_in(owner, state)
    owner.delete(uid)
    assert owner.jobs() == {}


@pytest.mark.parametrize("name", ["next", "create"])
def test_words_of_the_api_are_no_uids(owner: Service, name: str) -> None:
    assert owner.send_update(name, b'{"priority":1}').status in (404, 405)
    assert owner.ask("DELETE", f"/api/v1/jobs/{name}").status in (404, 405)
