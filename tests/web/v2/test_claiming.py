"""POST /queues/{queue}/claim and POST /claim."""

import pytest

from tests.support.api import Api
from tests.support.problem import problem


def test_an_empty_queue_is_no_content(reader: Api) -> None:
    answer = reader.here("POST", "/claim")
    assert (answer.status, answer.body) == (204, b"")


def test_a_claim_takes_the_most_urgent_and_says_how_long_it_is_the_claimers(writer: Api, reader: Api) -> None:
    for priority in (1, 100, 50):
        writer.create(priority, priority=priority)
    first, second = reader.claim(max=2, lease="90s", worker='bench "3"')
    assert [first["content"], second["content"]] == [100, 50]
    lease = first["lease"]
    assert (lease["epoch"], lease["service"], lease["worker"]) == (1, "reader", 'bench "3"')
    assert len(lease["id"]) == 16
    assert (first["state"], first["attempt"]) == ("inprogress", 1)


def test_nobody_else_is_told_the_id_of_a_lease(writer: Api, reader: Api) -> None:
    writer.create()
    job = reader.claim_one()
    assert "id" not in reader.get(job["uid"])["lease"]
    assert all("id" not in listed["lease"] for listed in reader.list())


def test_an_answer_of_a_claim_is_a_list_even_of_one(writer: Api, reader: Api) -> None:
    writer.create("only")
    assert [job["content"] for job in reader.claim(max=1)] == ["only"]


@pytest.mark.parametrize(
    "body",
    [
        {"max": 0},
        {"max": 1001},
        {"wait": 61},
        {"lease": "25h"},
        {"lease": 0.5},
        {"worker": ""},
        {"maxx": 1},
        [],
    ],
    ids=str,
)
def test_a_claim_beyond_the_limits_is_refused(reader: Api, body: object) -> None:
    problem(reader.here("POST", "/claim", body), 422, "validation_failed")


def test_several_queues_may_be_asked_at_once(writer: Api, reader: Api) -> None:
    other = "queue-0"
    writer.create("here")
    both = reader.ask("POST", "/claim", {"queues": {reader.queue: 1000, other: 1}, "max": 5})
    assert "here" in [job["content"] for job in both.json()["jobs"]]
    assert reader.ask("POST", "/claim", {"queues": [reader.queue]}).status == 204


def test_who_may_not_read_one_of_several_queues_gets_nothing_of_any(owner: Api, writer: Api) -> None:
    owner.create("kept")
    queues = {"queues": [owner.queue, "no-such-queue"]}
    problem(owner.ask("POST", "/claim", queues), 404, "not_found")
    problem(writer.ask("POST", "/claim", {"queues": [owner.queue]}), 403, "forbidden")
    assert owner.list()[0]["state"] == "queued"


@pytest.mark.parametrize("queues", [{}, [], {"a": 0}, {"a": 1001}, {"a b": 1}, "a", None], ids=str)
def test_queues_without_sense_are_refused(reader: Api, queues: object) -> None:
    problem(reader.ask("POST", "/claim", {"queues": queues}), 422, "validation_failed")
