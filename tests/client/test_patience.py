"""When a request is sent again."""

import json

import pytest

from jobengine.client.calls import claiming, controlling, creating, looking, queues, settling
from jobengine.client.exchange import Request, Response, Unanswered
from jobengine.client.job import Held
from jobengine.errors import (
    Forbidden,
    LeaseLost,
    OutcomeUnknown,
    QueueFull,
    Unavailable,
    Unreachable,
)
from tests.client.scripts import Script, answer, job, problem

LOST = Unanswered("connection reset")
REFUSED = Unanswered("connection refused", was_sent=False)
HELD = Held("mail", "a", "00000000000000aa")


@pytest.mark.parametrize(
    "failure",
    [LOST, REFUSED, problem(503, "unavailable"), answer(502), answer(504), problem(429, "queue_full")],
)
def test_a_create_is_repeated_with_the_same_uid(failure: object) -> None:
    script = Script(failure, answer(201, job()))  # type: ignore[arg-type]
    script.play(creating.create("mail", {"to": "anna"}))
    first, second = script.bodies
    assert first == second
    assert len(first["uid"]) == 36


def test_two_creates_have_two_uids() -> None:
    script = Script(answer(201, job()), answer(201, job()))
    script.play(creating.create("mail", 1))
    script.play(creating.create("mail", 1))
    first, second = script.bodies
    assert first["uid"] != second["uid"]


def test_a_settle_whose_answer_was_lost_is_repeated() -> None:
    script = Script(LOST, answer(200, job(state="complete")))
    assert script.play(settling.complete(HELD, 1)).state == "complete"


def test_a_settle_is_not_repeated_when_it_was_refused() -> None:
    with pytest.raises(LeaseLost):
        Script(problem(409, "lease_lost")).play(settling.complete(HELD, 1))


def test_who_settles_again_is_told_that_it_may_be_done() -> None:
    with pytest.raises(LeaseLost, match="the request before, whose answer was lost, has done it"):
        Script(LOST, problem(409, "lease_lost")).play(settling.fail(HELD, "no"))
    with pytest.raises(LeaseLost, match=r"^no$"):
        Script(REFUSED, problem(409, "lease_lost")).play(settling.fail(HELD, "no"))


def test_a_create_that_is_repeated_made_its_job_itself() -> None:
    def same(request: Request) -> Response:
        uid = json.loads(request.body or b"")["uid"]
        return answer(200, job(uid=uid, deduplicated=True))

    assert not Script(LOST, same).play(creating.create("mail", 1)).deduplicated
    assert Script(same).play(creating.create("mail", 1, uid=job()["uid"])).deduplicated
    assert Script(answer(200, job(deduplicated=True))).play(creating.create("mail", 1)).deduplicated


def test_after_a_fault_of_the_broker_nobody_knows_what_was_done() -> None:
    with pytest.raises(OutcomeUnknown, match=r"a fault \(request r-1\)"):
        Script(problem(500, "internal_error", "a fault")).play(settling.complete(HELD))


def test_a_claim_whose_answer_was_lost_is_not_repeated() -> None:
    with pytest.raises(OutcomeUnknown):
        Script(LOST).play(claiming.claim("mail"))


@pytest.mark.parametrize("status", [502, 504])
def test_a_claim_that_a_proxy_lost_is_not_repeated(status: int) -> None:
    with pytest.raises(OutcomeUnknown, match=f"a proxy answered {status}"):
        Script(answer(status)).play(claiming.claim("mail"))


@pytest.mark.parametrize("failure", [REFUSED, problem(503, "unavailable")])
def test_a_claim_that_did_nothing_is_repeated(failure: object) -> None:
    script = Script(failure, answer(204))  # type: ignore[arg-type]
    assert script.play(claiming.claim("mail")) == []


def test_a_claim_of_which_the_broker_does_not_know_the_outcome_is_not_repeated() -> None:
    with pytest.raises(OutcomeUnknown):
        Script(problem(503, "outcome_unknown")).play(claiming.claim("mail"))


def test_a_delete_whose_answer_was_lost_is_not_repeated() -> None:
    with pytest.raises(OutcomeUnknown):
        Script(LOST).play(controlling.delete("mail", "a"))


def test_pauses_grow_and_have_an_end() -> None:
    script = Script(*[REFUSED] * 20)
    with pytest.raises(Unreachable):
        script.play(looking.get("mail", "a"), patience_seconds=20)
    assert script.pauses == pytest.approx([0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5])
    assert sum(script.pauses) <= 20


def test_the_broker_says_how_long_to_wait() -> None:
    script = Script(problem(429, "queue_full", Retry_After="7"), answer(201, job()))
    script.play(creating.create("mail", 1))
    assert script.pauses == [0, 7]


def test_a_wait_longer_than_the_patience_is_not_begun() -> None:
    script = Script(problem(429, "queue_full", Retry_After="31"))
    with pytest.raises(QueueFull):
        script.play(creating.create("mail", 1), patience_seconds=30)


def test_without_patience_the_first_failure_is_told() -> None:
    with pytest.raises(Unavailable):
        Script(problem(503, "unavailable")).play(looking.get("mail", "a"), patience_seconds=0)


def test_a_refusal_is_told_at_once() -> None:
    script = Script(problem(403, "forbidden"))
    with pytest.raises(Forbidden):
        script.play(looking.get("mail", "a"))


def test_who_finds_nobody_is_told_where_it_was_looked_for() -> None:
    with pytest.raises(Unreachable, match=r"http://broker \(connection refused\)"):
        Script(REFUSED).play(looking.get("mail", "a"), patience_seconds=0)


def test_each_request_of_a_call_has_the_whole_patience() -> None:
    refused = [problem(503, "unavailable", Retry_After="8")]
    page = answer(200, {"changed": 1, "next_cursor": "c"})
    script = Script(*refused, page, *refused, answer(200, {"changed": 2}))
    assert script.play(queues.purge_queue("mail"), patience_seconds=10).changed == 3
