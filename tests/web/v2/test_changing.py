"""What a writer changes of a job, and does to it."""

import pytest

from tests.support.api import Api
from tests.support.problem import problem

NOBODY = "00000000-0000-4000-8000-000000000000"


def test_what_is_named_is_changed_and_nothing_else(owner: Api) -> None:
    job = owner.create("before", priority=5, tags=["old"], valid_for=600)
    changed = owner.expect(200, "PATCH", f"/jobs/{job['uid']}", {"content": "after", "tags": ["new"]})
    expected = {**job, "content": "after", "tags": ["new"], "last_updated": changed["last_updated"]}
    assert changed == expected
    assert owner.get(job["uid"]) == expected


def test_an_end_and_a_delay_may_be_given_and_taken_away(owner: Api) -> None:
    uid = owner.create()["uid"]
    held = owner.expect(200, "PATCH", f"/jobs/{uid}", {"valid_for": "2h", "delay": "1h", "timeout": 5})
    assert held["expires"] > held["not_before"] > held["created"]
    body = {"expires": None, "not_before": None, "timeout": None}
    free = owner.expect(200, "PATCH", f"/jobs/{uid}", body)
    assert not {"expires", "not_before", "timeout"} & free.keys()
    assert owner.claim_one()["uid"] == uid


@pytest.mark.parametrize(
    "body",
    [{}, {"state": "failed"}, {"priority": 0}, {"expires": "soon"}, {"delay": 1, "not_before": None}, 1],
    ids=str,
)
def test_a_change_without_sense_is_refused(owner: Api, body: object) -> None:
    job = owner.create()
    problem(owner.here("PATCH", f"/jobs/{job['uid']}", body), 422, "validation_failed")
    assert owner.get(job["uid"]) == job


def test_a_version_that_is_no_more_keeps_from_changing(owner: Api) -> None:
    made = owner.here("POST", "/jobs", {"content": 1})
    uid, seen = made.json()["uid"], str(made.header("ETag"))
    changed = owner.here("PATCH", f"/jobs/{uid}", {"priority": 9}, If_Match=seen)
    assert changed.status == 200
    assert changed.header("ETag") == owner.here("GET", f"/jobs/{uid}").header("ETag") != seen
    for method, path in (("PATCH", ""), ("DELETE", ""), ("POST", "/stop"), ("POST", "/halt")):
        body = {"priority": 1} if method == "PATCH" else None
        problem(owner.here(method, f"/jobs/{uid}{path}", body, If_Match=seen), 412, "version_changed")
    assert owner.here("DELETE", f"/jobs/{uid}", If_Match="*").status == 204


@pytest.mark.parametrize(
    ("version", "status", "code"),
    [
        ('W/"1"', 412, "version_changed"),
        ("1", 412, "version_changed"),
        ('"1", "2"', 422, "validation_failed"),
    ],
)
def test_a_version_that_none_can_have_is_refused(owner: Api, version: str, status: int, code: str) -> None:
    uid = owner.create()["uid"]
    problem(owner.here("DELETE", f"/jobs/{uid}", If_Match=version), status, code)


def test_a_removed_job_is_gone(owner: Api) -> None:
    uid = owner.create()["uid"]
    assert owner.here("DELETE", f"/jobs/{uid}").status == 204
    problem(owner.here("GET", f"/jobs/{uid}"), 404, "not_found")
    problem(owner.here("DELETE", f"/jobs/{uid}"), 404, "not_found")


def test_a_stopped_job_has_failed_and_may_be_tried_again(owner: Api) -> None:
    uid = owner.create()["uid"]
    stopped = owner.do(uid, "stop").json()
    assert (stopped["state"], stopped["reason"]) == ("failed", "stopped")
    problem(owner.do(uid, "stop"), 409, "bad_state")
    assert owner.do(uid, "retry").json()["state"] == "queued"


def test_a_halted_job_is_not_handed_out_until_it_is_resumed(owner: Api) -> None:
    uid = owner.create()["uid"]
    assert owner.do(uid, "halt", {}).json()["halted"] is True
    assert owner.claim() == []
    assert "halted" not in owner.do(uid, "resume").json()
    assert owner.claim_one()["uid"] == uid


def test_a_moved_job_is_in_the_other_queue_only(owner: Api) -> None:
    uid = owner.create("moves")["uid"]
    assert owner.do(uid, "move", {"queue": "queue-1"}).json()["queue"] == "queue-1"
    problem(owner.here("GET", f"/jobs/{uid}"), 404, "not_found")
    assert owner.ask("DELETE", f"/queues/queue-1/jobs/{uid}").status == 204


def test_a_clone_is_a_new_job_with_the_same_content(owner: Api) -> None:
    job = owner.create({"a": 1}, tags=["x"])
    answer = owner.do(job["uid"], "clone")
    clone = answer.json()
    assert (answer.status, clone["content"], clone["tags"]) == (201, {"a": 1}, ["x"])
    assert clone["uid"] != job["uid"]
    assert answer.header("Location") == f"/api/v2/queues/{owner.queue}/jobs/{clone['uid']}"


def test_nothing_goes_into_a_queue_that_the_writer_may_not_write_to(owner: Api) -> None:
    uid = owner.create()["uid"]
    for verb in ("move", "clone"):
        problem(owner.do(uid, verb, {"queue": "no-such-queue"}), 404, "not_found")
    problem(owner.do(uid, "move"), 422, "validation_failed")


@pytest.mark.parametrize("verb", ["stop", "halt", "resume", "retry"])
def test_a_verb_takes_no_fields(owner: Api, verb: str) -> None:
    problem(owner.do(owner.create()["uid"], verb, {"force": True}), 422, "validation_failed")


@pytest.mark.parametrize("verb", ["stop", "halt", "resume", "retry", "clone"])
def test_what_is_not_there_cannot_be_changed(owner: Api, verb: str) -> None:
    problem(owner.do(NOBODY, verb), 404, "not_found")


# --- why ---


def test_why_tells_all_that_keeps_a_job(owner: Api, ops: Api) -> None:
    owner.create("first")
    uid = owner.create("second", delay="1h")["uid"]
    owner.do(uid, "halt")
    ops.expect(200, "POST", "/pause")
    told = owner.expect(200, "GET", f"/jobs/{uid}/why")
    causes = [each["cause"] for each in told["why"]]
    assert causes[:3] == ["queue_paused", "halted", "not_before"]
    assert told["text"] == "; ".join(each["text"] for each in told["why"])
    assert told["why"][2]["until"] == owner.get(uid)["not_before"]


def test_why_tells_who_holds_a_job_and_that_one_has_ended(owner: Api) -> None:
    uid = owner.create()["uid"]
    (free,) = owner.expect(200, "GET", f"/jobs/{uid}/why")["why"]
    job = owner.claim_one(worker="w1")
    (held,) = owner.expect(200, "GET", f"/jobs/{uid}/why")["why"]
    owner.settle(job, "complete")
    (ended,) = owner.expect(200, "GET", f"/jobs/{uid}/why")["why"]
    assert (free["cause"], held["cause"], ended["cause"]) == ("no_claimer", "held", "ended")
    assert (held["by"], held["until"]) == ("owner / w1", job["lease"]["expires"])
