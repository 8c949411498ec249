"""GetAllJobs, and its pages."""

import json

import pytest

from tests.support.service import Service


def numbers(jobs: dict[str, dict[str, dict[str, int]]]) -> dict[str, int]:
    return {position: job["content"]["number"] for position, job in jobs.items()}


@pytest.fixture
def five(owner: Service) -> list[str]:
    """Uids of: one that failed, one in progress, two queued, one complete, in the queue's order."""
    uids = [owner.create({"number": number}, priority=90 - number)["uid"] for number in range(5)]
    owner.update(uids[0], status="failed")
    owner.update(uids[4], status="complete")
    assert owner.claim()["uid"] == uids[1]
    return uids


def test_an_empty_queue_is_204_and_no_body(reader: Service) -> None:
    for headers in ({}, {"X-Status-Filter": "queued"}):
        answer = reader.ask("GET", "/api/v1/jobs", None, **headers)
        assert (answer.status, answer.body) == (204, b"")


def test_a_list_is_what_each_job_is_by_itself(owner: Service, five: list[str]) -> None:
    assert owner.jobs() == {str(position): owner.get(uid) for position, uid in enumerate(five)}


def test_the_keys_come_in_order(owner: Service, five: list[str]) -> None:
    assert list(owner.jobs()) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("state", "expected"),
    [("failed", {"0": 0}), ("inprogress", {"1": 1}), ("queued", {"2": 2, "3": 3}), ("complete", {"4": 4})],
)
def test_with_a_filter_the_keys_are_still_the_true_positions(
    owner: Service, five: list[str], state: str, expected: dict[str, int]
) -> None:
    jobs = owner.jobs(X_Status_Filter=state)
    assert numbers(jobs) == expected
    assert {job["state"] for job in jobs.values()} == {state}


def test_a_state_that_no_job_is_in_is_204(owner: Service) -> None:
    owner.create()
    assert owner.ask("GET", "/api/v1/jobs", None, X_Status_Filter="failed").status == 204


@pytest.mark.parametrize("state", ["gone", "Queued", "queued,failed", "done", "1"])
def test_an_unknown_state_is_refused(reader: Service, state: str) -> None:
    answer = reader.ask("GET", "/api/v1/jobs", None, X_Status_Filter=state)
    assert (answer.status, answer.json()["code"]) == (400, "validation_failed")
    assert [each["pointer"] for each in answer.json()["errors"]] == ["X-Status-Filter"]


def test_pages_join_into_the_whole_list(owner: Service, five: list[str]) -> None:
    whole: dict[str, object] = {}
    after = ""
    while page := owner.jobs(f"?limit=2{after}"):
        assert len(page) <= 2
        whole |= page
        after = f"&after={list(page.values())[-1]['uid']}"
    assert list(whole) == ["0", "1", "2", "3", "4"]
    assert whole == owner.jobs()


def test_a_page_of_one_state_counts_jobs_of_that_state(owner: Service, five: list[str]) -> None:
    assert numbers(owner.jobs("?limit=1", X_Status_Filter="queued")) == {"2": 2}
    assert numbers(owner.jobs(f"?limit=1&after={five[2]}", X_Status_Filter="queued")) == {"3": 3}
    assert owner.jobs(f"?after={five[3]}", X_Status_Filter="queued") == {}


def test_a_page_may_be_larger_than_the_list(owner: Service, five: list[str]) -> None:
    assert owner.jobs(f"?limit={10**30}") == owner.jobs()


@pytest.mark.parametrize("limit", ["0", "-1", "1.5", "x", "", "%C2%B2", "00", "1e3", "%F0%9F%91%8D"])
def test_a_limit_is_a_whole_number_from_1_on(reader: Service, limit: str) -> None:
    answer = reader.ask("GET", f"/api/v1/jobs?limit={limit}")
    assert (answer.status, answer.json()["code"]) == (400, "validation_failed")


def test_a_page_after_a_job_that_is_not_there_is_404(owner: Service, five: list[str]) -> None:
    owner.delete(five[2])
    assert owner.ask("GET", f"/api/v1/jobs?after={five[2]}").status == 404
    assert owner.ask("GET", "/api/v1/jobs?after=").status == 404


def test_a_list_has_no_name_twice(owner: Service, five: list[str]) -> None:
    names: list[str] = []
    json.loads(
        owner.ask("GET", "/api/v1/jobs").body,
        object_pairs_hook=lambda pairs: names.extend(name for name, _ in pairs if name.isdigit()),
    )
    assert names == ["0", "1", "2", "3", "4"]
