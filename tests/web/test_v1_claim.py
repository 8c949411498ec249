"""GetNextJob, and the order in which it hands jobs out."""

import threading

from tests.support.server import ServerProcess
from tests.support.service import Service


def test_an_empty_queue_is_204_and_no_body(reader: Service) -> None:
    answer = reader.ask("GET", "/api/v1/jobs/next")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.header("Content-Length") is None
    assert reader.ask("GET", "/api/v1/jobs/next").status == 204  # the connection goes on


def test_a_claimed_job_is_in_progress_and_later_than_it_was_created(owner: Service) -> None:
    created = owner.create()
    claimed = owner.claim()
    assert claimed == created | {"state": "inprogress", "last_updated": claimed["last_updated"]}
    assert claimed["last_updated"] > claimed["created"]


def test_once_claimed_a_job_is_later_than_it_was_created_in_every_answer(owner: Service) -> None:
    uid = owner.create()["uid"]
    answers = [owner.claim(), owner.get(uid), owner.jobs()["0"], owner.update(uid, status="complete")]
    answers += [owner.get(uid), owner.jobs(X_Status_Filter="complete")["0"]]
    assert all(job["last_updated"] > job["created"] for job in answers)


def test_an_untouched_job_was_updated_when_it_was_created(owner: Service) -> None:
    uid = owner.create()["uid"]
    for job in (owner.get(uid), owner.jobs()["0"]):
        assert job["last_updated"] == job["created"]


def test_the_highest_priority_comes_first_and_the_oldest_among_equals(owner: Service) -> None:
    for number, priority in enumerate((50, 100, 1, 50, 100, 1)):
        owner.create({"number": number}, priority=priority)
    assert [owner.claim()["content"]["number"] for _ in range(6)] == [1, 4, 0, 3, 2, 5]
    assert owner.claim() is None


def test_a_changed_priority_goes_behind_its_equals_and_the_same_again_moves_nothing(owner: Service) -> None:
    uids = [owner.create({"number": number}, priority=50)["uid"] for number in range(4)]
    owner.update(uids[1], priority=50)
    owner.update(uids[0], priority=51)
    owner.update(uids[0], priority=50)
    assert [owner.claim()["content"]["number"] for _ in range(4)] == [1, 2, 3, 0]


def test_a_job_put_back_goes_behind_its_equals(owner: Service) -> None:
    for number in range(3):
        owner.create({"number": number})
    owner.update(owner.claim()["uid"], status="queued")
    assert [owner.claim()["content"]["number"] for _ in range(3)] == [1, 2, 0]


def test_no_job_goes_to_two_claimers(server: ServerProcess, queue: str, writer: Service) -> None:
    created = {writer.create()["uid"] for _ in range(200)}
    claimed: list[str] = []

    def claim_all() -> None:
        with server.service("reader", queue) as own:
            while (job := own.claim()) is not None:
                claimed.append(job["uid"])

    claimers = [threading.Thread(target=claim_all) for _ in range(16)]
    for claimer in claimers:
        claimer.start()
    for claimer in claimers:
        claimer.join()
    assert len(claimed) == 200
    assert set(claimed) == created
