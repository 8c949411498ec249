"""API v1 answers exactly as documented, also for jobs made through v2; and v2 shows those of v1."""

from collections.abc import Iterator

import pytest

from tests.support.api import Api
from tests.support.server import ServerProcess
from tests.support.service import Service

FIELDS = {"content", "created", "last_updated", "priority", "state", "timeout_time", "uid"}


@pytest.fixture
def old(server: ServerProcess, queue: str) -> Iterator[Service]:
    """An owner that speaks v1."""
    with server.service("owner", queue) as opened:
        yield opened


def test_v1_shows_the_seven_documented_fields_whatever_v2_knows(owner: Api, old: Service) -> None:
    uid = owner.create([1, 2], tags=["x"], unique_key="k", max_attempts=3, timeout=5)["uid"]
    job = old.get(uid)
    assert job.keys() == FIELDS
    assert (job["content"], job["timeout_time"], job["priority"]) == ([1, 2], 253402300799, 50)
    owner.settle(owner.claim_one(), "complete", result=1)
    assert old.get(uid).keys() == FIELDS
    assert old.jobs()["0"] == old.get(uid)


def test_v1_claims_and_settles_what_v2_made(owner: Api, old: Service) -> None:
    uid = owner.create("text", tags=["x"])["uid"]
    assert old.claim()["uid"] == uid
    shown = owner.get(uid)
    assert (shown["state"], shown["attempt"], shown["lease"]["service"]) == ("inprogress", 1, "owner")
    assert old.update(uid, status="complete")["state"] == "complete"
    assert owner.get(uid)["tags"] == ["x"]


def test_v1_does_not_claim_what_waits_for_a_time(owner: Api, old: Service) -> None:
    owner.create(delay="1h")
    assert old.claim() is None


def test_an_update_by_v1_ends_a_lease_of_v2(owner: Api, old: Service) -> None:
    uid = owner.create()["uid"]
    job = owner.claim_one()
    old.update(uid, status="queued")
    assert owner.settle(job, "complete").json()["code"] == "lease_lost"
    assert owner.get(uid)["state"] == "queued"


def test_v2_shows_settles_and_amends_what_v1_made(owner: Api, old: Service) -> None:
    made = old.create({"a": 1}, valid_for=600)
    shown = owner.get(made["uid"])
    assert (shown["content"], shown["attempt"]) == ({"a": 1}, 0)
    assert shown["expires"].endswith(shown["created"][19:])
    assert owner.expect(200, "PATCH", f"/jobs/{made['uid']}", {"priority": 9})["priority"] == 9
    assert owner.settle(owner.claim_one(), "complete").json()["state"] == "complete"
    assert old.get(made["uid"])["state"] == "complete"


def test_an_administrator_is_a_stranger_to_v1(server: ServerProcess, queue: str, owner: Api) -> None:
    with server.service("ops", queue) as ops:
        assert ops.ask("GET", "/api/v1/jobs").status == 404
