"""GET /queues/{queue}/jobs, page by page; and what is done to many jobs, slice by slice."""

from collections.abc import Iterator
from typing import Any

import pytest

from jobengine.web.v2.cursor import Cursor
from tests.support.api import Api
from tests.support.problem import MARKER, problem


@pytest.fixture
def jobs(owner: Api) -> list[Any]:
    """25 of them, in the queue's order."""
    bodies = [{"content": {"n": number}, "priority": 100 - number} for number in range(25)]
    return list(owner.expect(201, "POST", "/jobs", bodies)["jobs"])


def pages(owner: Api, query: str) -> Iterator[list[Any]]:
    page = owner.expect(200, "GET", f"/jobs?{query}")
    yield page["jobs"]
    while "next_cursor" in page:
        page = owner.expect(200, "GET", f"/jobs?{query}&cursor={page['next_cursor']}")
        yield page["jobs"]


def test_pages_are_the_whole_queue_in_its_order(owner: Api, jobs: list[Any]) -> None:
    sizes = [len(page) for page in pages(owner, "limit=10")]
    assert sizes == [10, 10, 5]
    assert [job for page in pages(owner, "limit=10") for job in page] == jobs


def test_a_link_leads_to_the_next_page(owner: Api, jobs: list[Any]) -> None:
    link = owner.here("GET", "/jobs?limit=20&state=queued").header("Link")
    assert link is not None
    target, relation = link.split("; ")
    assert relation == 'rel="next"'
    assert owner.ask("GET", target.strip("<>").removeprefix("/api/v2")).json()["jobs"] == jobs[20:]


def test_a_page_stays_right_while_jobs_come_and_go(owner: Api, jobs: list[Any]) -> None:
    first = owner.expect(200, "GET", "/jobs?limit=10")
    for job in jobs[5:12]:
        owner.here("DELETE", f"/jobs/{job['uid']}")
    owner.create("late, and urgent", priority=100)
    behind = owner.expect(200, "GET", f"/jobs?limit=10&cursor={first['next_cursor']}")["jobs"]
    assert behind == jobs[12:22]


def test_a_page_holds_one_state_or_several(owner: Api, jobs: list[Any]) -> None:
    claimed = [job["uid"] for job in owner.claim(max=3)]
    owner.do(jobs[20]["uid"], "stop")
    assert [job["uid"] for job in owner.list("?state=inprogress")] == claimed
    assert [job["uid"] for job in owner.list("?state=failed,inprogress")] == [*claimed, jobs[20]["uid"]]
    assert len(owner.list("?state=queued")) == 21
    assert owner.list("?state=complete") == []


def test_a_filter_chooses_jobs(owner: Api, jobs: list[Any]) -> None:
    chosen = owner.list("?filter=content.n%20in%20(3,%2017)%20and%20priority%20%3C%2090")
    assert [job["content"]["n"] for job in chosen] == [17]
    assert owner.list("?state=queued&filter=state%20%3D%20failed") == []


def test_a_filter_looks_into_results(owner: Api, jobs: list[Any]) -> None:
    owner.settle(owner.claim_one(), "complete", result={"size": 7})
    assert [job["uid"] for job in owner.list("?filter=result.size%20%3D%207")] == [jobs[0]["uid"]]


def test_a_wrong_filter_is_told_with_its_column(owner: Api) -> None:
    told = problem(owner.here("GET", "/jobs?filter=state%20%3D%3D%20failed"), 422, "validation_failed")
    assert told["detail"].startswith("column ")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("state=done", "state"),
        ("state=", "state"),
        ("cursor=", "cursor"),
        (f"cursor={MARKER}", "cursor"),
        ("cursor=%F0%9F%92%A5", "cursor"),
        ("cursor=" + "A" * 1000, "cursor"),
        (f"{MARKER}=1", "query"),
        ("limit=1&limit=2", "query"),
    ],
)
def test_a_query_without_sense_is_refused(owner: Api, query: str, pointer: str) -> None:
    told = problem(owner.here("GET", f"/jobs?{query}"), 422, "validation_failed")
    assert [error["pointer"] for error in told["errors"]] == [pointer]


def test_a_cursor_counts_for_what_it_was_given_for_only(owner: Api, jobs: list[Any]) -> None:
    cursor = owner.expect(200, "GET", "/jobs?limit=10")["next_cursor"]
    problem(owner.here("GET", f"/jobs?state=queued&cursor={cursor}"), 422, "validation_failed")
    problem(owner.ask("GET", f"/queues/queue-0/jobs?cursor={cursor}"), 422, "validation_failed")
    assert Cursor.read(cursor, owner.queue, (), None).after > 0


def test_a_page_of_big_jobs_ends_early(owner: Api) -> None:
    content = "x" * 900_000
    for _ in range(12):
        owner.create(content)
    sizes = [len(page) for page in pages(owner, "")]
    assert sum(sizes) == 12
    assert sizes[0] == 10  # the one that reaches 8 MiB is the last
    answer = owner.here("GET", "/jobs?limit=1")
    assert answer.header("Transfer-Encoding") == "chunked"  # none of them waits in memory for a slow reader
    assert answer.header("Link") is not None


# --- bulk ---


def bulk(owner: Api, **wanted: object) -> Any:
    answer = owner.ask("POST", "/jobs/bulk", {"queue": owner.queue, **wanted})
    assert answer.status == 200, answer.body
    return answer.json()


def test_a_dry_run_counts_and_changes_nothing(owner: Api, jobs: list[Any]) -> None:
    told = bulk(owner, action="delete", filter="priority > 90", dry_run=True)
    assert told == {"matched": 10, "changed": 0, "refused": 0}
    assert owner.list() == jobs


def test_what_is_done_to_many_is_done_to_those_that_are_meant(owner: Api, jobs: list[Any]) -> None:
    assert bulk(owner, action="stop", filter="priority > 90", state=["queued"])["changed"] == 10
    assert bulk(owner, action="retry", state=["failed"]) == {"matched": 10, "changed": 10, "refused": 0}
    assert bulk(owner, action="delete", filter="content.n >= 20")["changed"] == 5
    assert len(owner.list("?state=queued")) == 20


def test_those_that_are_refused_are_told_ten_at_most(owner: Api, jobs: list[Any]) -> None:
    owner.claim(max=12)
    told = bulk(owner, action="retry")
    assert (told["matched"], told["changed"], told["refused"]) == (25, 13, 12)
    assert len(told["problems"]) == 10
    assert {each["code"] for each in told["problems"]} == {"bad_state"}


def test_many_are_changed_slice_by_slice(owner: Api) -> None:
    for _ in range(2):
        owner.expect(201, "POST", "/jobs", [{"content": 1}] * 300, Prefer="return=minimal")
    first = bulk(owner, action="halt")
    second = bulk(owner, action="halt", cursor=first["next_cursor"])
    assert (first["changed"], second["changed"], "next_cursor" in second) == (500, 100, False)


def test_clones_are_not_cloned_again(owner: Api) -> None:
    owner.expect(201, "POST", "/jobs", [{"content": 1}] * 600, Prefer="return=minimal")
    told = bulk(owner, action="clone")
    made = told["changed"]
    while "next_cursor" in told:
        told = bulk(owner, action="clone", cursor=told["next_cursor"])
        made += told["changed"]
    assert made == 600


def test_many_are_moved_to_a_queue_that_one_may_write_to(owner: Api, jobs: list[Any]) -> None:
    refused = {"queue": owner.queue, "action": "move", "to": "no-such-queue"}
    problem(owner.ask("POST", "/jobs/bulk", refused), 404, "not_found")
    told = bulk(owner, action="move", to="queue-2", filter="content.n < 5")
    assert told["changed"] == 5
    assert len(owner.list()) == 20


@pytest.mark.parametrize(
    "body",
    [
        {"action": "explode"},
        {"action": "move"},
        {"action": "stop", "to": "queue-0"},
        {"state": ["gone"]},
        {"action": "stop", "state": []},
        {},
    ],
    ids=str,
)
def test_a_bulk_without_sense_is_refused(owner: Api, body: dict[str, object]) -> None:
    refused = owner.ask("POST", "/jobs/bulk", {"queue": owner.queue, **body})
    problem(refused, 422, "validation_failed")
