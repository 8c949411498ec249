"""The two clients and the real broker."""

from datetime import timedelta
from typing import Any

import pytest

from jobengine import Client, Completed, Draft, Extended, Failed, State
from jobengine.errors import (
    BadState,
    Forbidden,
    LeaseLost,
    NotFound,
    ValidationFailed,
    VersionChanged,
)
from jobengine.testing import Broker
from tests.client.asking import Ask, both


@both
def test_a_job_lives_from_create_to_complete(ask: Ask, running: Broker) -> None:
    created = ask(running.url, lambda client: client.create("mail", {"to": "anna"}, priority=70, tags=["x"]))
    (claimed,) = ask(running.url, lambda client: client.claim("mail", worker="one"))
    assert (claimed.uid, claimed.content, claimed.attempt) == (created.uid, {"to": "anna"}, 1)
    assert (claimed.priority, claimed.tags) == (70, ("x",))
    done = ask(running.url, lambda client: client.complete(claimed, {"sent": True}))
    assert (done.state, done.result) == (State.COMPLETE, {"sent": True})
    assert ask(running.url, lambda client: client.get("mail", created.uid)).has_ended


@both
def test_times_are_times_and_durations_may_be(ask: Ask, running: Broker) -> None:
    job = ask(running.url, lambda client: client.create("mail", 1, delay=timedelta(hours=1), valid_for=7200))
    assert job.not_before == job.created + timedelta(hours=1)
    assert job.expires == job.created + timedelta(hours=2)


@both
def test_a_list_is_created_in_order(ask: Ask, running: Broker) -> None:
    drafts = [Draft(number) for number in range(3)]
    jobs = ask(running.url, lambda client: client.create_many("mail", drafts))
    assert [job.content for job in jobs] == [0, 1, 2]
    uids = ask(running.url, lambda client: client.create_uids("mail", drafts))
    assert uids == [job.uid for job in jobs]
    assert len(list(ask(running.url, lambda client: _all(client.jobs("mail"))))) == 3


def _all(jobs: Any) -> Any:
    return jobs if hasattr(jobs, "__aiter__") else list(jobs)


@both
def test_a_list_is_read_page_by_page(ask: Ask, running: Broker) -> None:
    ask(running.url, lambda client: client.create_uids("mail", [Draft(number) for number in range(5)]))
    jobs = ask(running.url, lambda client: _all(client.jobs("mail", state="queued", limit=2)))
    assert [job.content for job in jobs] == [0, 1, 2, 3, 4]


@both
def test_a_job_that_nobody_claims_says_why(ask: Ask, running: Broker) -> None:
    job = ask(running.url, lambda client: client.create("mail", 1, delay=60))
    why = ask(running.url, lambda client: client.why("mail", job.uid))
    assert [obstacle.cause for obstacle in why.why] == ["not_before"]
    assert why.text


def test_a_stale_holder_is_refused(running: Broker, client: Client) -> None:
    client.create("mail", 1)
    (first,) = client.claim("mail", lease=10)
    running.advance(11)
    (second,) = client.claim("mail")
    assert second.lease.epoch > first.lease.epoch  # type: ignore[union-attr]
    with pytest.raises(LeaseLost):
        client.complete(first)


def test_many_settlements_are_answered_one_by_one(running: Broker, client: Client) -> None:
    client.create_many("mail", [Draft(number) for number in range(3)])
    first, second, third = client.claim("mail", 3)
    client.complete(third)
    extended, failed, refused = client.settle(
        "mail", [Extended(first, 90), Failed(second, "no"), Failed(third)]
    )
    assert extended.control == "run"
    assert failed.job is not None
    assert failed.job.errors[0].text == "no"
    assert isinstance(refused.error, LeaseLost)
    (quiet,) = client.settle("mail", [Completed(first)], with_jobs=False)
    assert quiet.job is None


def test_a_claim_of_several_queues_takes_what_there_is(client: Client) -> None:
    client.create("fragile", 1)
    (job,) = client.claim({"mail": 5, "fragile": 1})
    assert job.queue == "fragile"


def test_a_job_is_changed_only_in_the_version_that_was_seen(client: Client) -> None:
    job = client.create("mail", 1)
    changed = client.update("mail", job.uid, priority=90, content=None, if_version=job.version)
    assert (changed.priority, changed.content) == (90, None)
    with pytest.raises(VersionChanged):
        client.delete("mail", job.uid, if_version=job.version)
    client.delete("mail", job.uid)
    with pytest.raises(NotFound):
        client.get("mail", job.uid)


@both
def test_jobs_are_controlled_by_either(ask: Ask, running: Broker) -> None:
    job = ask(running.url, lambda client: client.create("mail", 1))
    assert ask(running.url, lambda client: client.halt("mail", job.uid)).halted
    assert not ask(running.url, lambda client: client.resume("mail", job.uid)).halted
    assert ask(running.url, lambda client: client.stop("mail", job.uid)).reason == "stopped"
    assert ask(running.url, lambda client: client.retry("mail", job.uid)).state == State.QUEUED


def test_jobs_are_controlled_one_by_one(client: Client) -> None:
    job = client.create("mail", 1)
    assert client.halt("mail", job.uid).halted
    assert not client.resume("mail", job.uid).halted
    assert client.stop("mail", job.uid).reason == "stopped"
    assert client.retry("mail", job.uid).state == State.QUEUED
    assert client.move("mail", job.uid, "fragile").queue == "fragile"
    twin = client.clone("fragile", job.uid)
    assert (twin.queue, twin.content) == ("fragile", 1)
    assert twin.uid != job.uid
    assert client.clone("fragile", job.uid, "mail").queue == "mail"


def test_jobs_are_controlled_many_at_once(client: Client) -> None:
    client.create_many("mail", [Draft({"n": number}, priority=number + 1) for number in range(5)])
    chosen = "priority >= 4"
    assert client.bulk("mail", "delete", filter=chosen, dry_run=True).matched == 2
    assert client.bulk("mail", "delete", filter=chosen, state="queued").changed == 2
    assert [job.content["n"] for job in client.jobs("mail")] == [2, 1, 0]


def test_queues_are_paused_drained_and_purged(client: Client, admin: Client) -> None:
    client.create("mail", 1)
    assert admin.pause_queue("mail").paused
    assert client.claim("mail") == []
    assert not admin.resume_queue("mail").paused
    assert admin.drain_queue("mail").draining
    with pytest.raises(BadState):
        client.create("mail", 2)
    assert admin.purge_queue("mail").changed == 1
    assert client.queue("mail").jobs["queued"] == 0
    assert {queue.name for queue in client.queues()} == {"mail", "fragile", "dead"}


def test_dead_letters_go_back(client: Client, admin: Client) -> None:
    job = client.create("fragile", 1)
    client.fail(client.claim("fragile")[0], "no", kind="Broken")
    (dead,) = client.jobs("dead")
    assert (dead.uid, dead.died_in, dead.errors[0].kind) == (job.uid, "fragile", "Broken")
    assert admin.redrive_queue("dead").changed == 1
    assert client.get("fragile", job.uid).attempt == 0


def test_what_is_wrong_is_told_all_at_once(client: Client) -> None:
    with pytest.raises(ValidationFailed) as refused:
        client.create("mail", 1, priority=0, max_attempts=0)
    assert {problem.pointer for problem in refused.value.errors} == {"/priority", "/max_attempts"}


def test_a_queue_without_a_right_does_not_exist(client: Client) -> None:
    with pytest.raises(NotFound):
        client.create("closed", 1)


def test_who_does_not_administer_changes_no_queues(client: Client) -> None:
    with pytest.raises(Forbidden):
        client.put_queue("mail", {"read": ["*"]})


@both
def test_a_call_is_answered_when_its_job_has_ended(ask: Ask, running: Broker) -> None:
    def done_meanwhile(client: Any) -> Any:
        return client.create("mail", 1, wait=0.01)

    assert ask(running.url, done_meanwhile).state == State.QUEUED
    (held,) = ask(running.url, lambda client: client.claim("mail"))
    ask(running.url, lambda client: client.complete(held, "done"))
    assert ask(running.url, lambda client: client.wait("mail", held.uid)).result == "done"
