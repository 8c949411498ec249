"""What calls ask for, and what they make of the answers."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from jobengine.client.calls import claiming, controlling, creating, logs, looking, settling
from jobengine.client.drafts import Draft
from jobengine.client.exchange import Request, Response
from jobengine.client.job import Held
from jobengine.client.settlements import Completed, Extended, Failed, Progressed, Released
from jobengine.errors import JobEngineError, LeaseLost, NoSuchPath, NotFound
from tests.client.scripts import Script, answer, job, problem, uids


def _held(uid: str) -> Held:
    return Held("mail", uid, "00000000000000aa")


def _as_sent(request: Request) -> Response:
    """Answers a settle as the broker does: verb after verb."""
    sent = json.loads(request.body or b"")
    return answer(
        200, {"results": [{"uid": uid, "status": 200} for each in sent.values() for uid in uids(each)]}
    )


def _created(request: Request) -> Response:
    return answer(201, {"jobs": [job(uid=uid) for uid in uids(json.loads(request.body or b""))]})


def test_options_are_sent_in_the_words_of_the_api() -> None:
    script = Script(answer(201, job()))
    at = datetime(2026, 1, 31, 10, tzinfo=UTC)
    script.play(
        creating.create(
            "mail",
            None,
            valid_for=timedelta(minutes=2),
            not_before=at,
            backoff=[1, timedelta(seconds=5)],
            unique_key="anna",
            unique_for=timedelta(hours=1),
            tags=["urgent"],
            uid="a",
        )
    )
    assert script.bodies == [
        {
            "uid": "a",
            "content": None,
            "priority": 50,
            "valid_for": 120.0,
            "not_before": "2026-01-31T10:00:00+00:00",
            "backoff": [1, 5.0],
            "unique_key": "anna",
            "unique_for": 3600.0,
            "tags": ["urgent"],
        }
    ]


def test_a_time_without_its_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Draft(1, not_before=datetime(2026, 1, 31)).wire()


def test_a_long_list_goes_in_parts() -> None:
    script = Script(_created, _created, _created)
    drafts = [Draft(number) for number in range(2500)]
    jobs = script.play(creating.create_many("mail", drafts))
    assert [len(body) for body in script.bodies] == [1000, 1000, 500]
    assert [each.uid for each in jobs] == [draft.uid for draft in drafts]


def test_a_list_of_large_contents_goes_in_parts() -> None:
    script = Script(_created, _created)
    script.play(creating.create_many("mail", [Draft("x" * 200_000) for _ in range(3)]))
    assert [len(body) for body in script.bodies] == [2, 1]


def test_the_shortest_wait_is_written_as_the_api_takes_it() -> None:
    script = Script(answer(200, job()), answer(201, job()))
    script.play(looking.wait("mail", "a", timeout=0.00001))
    assert script.requests[0].path.endswith("?wait=0")
    script.play(creating.create("mail", 1, wait=0.00001))
    assert script.requests[1].headers == {"Prefer": "wait=0"}
    script = Script(answer(200))
    script.play(logs.log_part("mail", "a", wait=0.00001))
    assert script.requests[0].path.endswith("?wait=0")


def test_nothing_to_create_asks_for_nothing() -> None:
    script = Script()
    assert script.play(creating.create_many("mail", [])) == []
    assert script.requests == []


def test_a_create_that_waits_goes_on_waiting_beyond_what_one_request_may() -> None:
    script = Script(answer(201, job()), answer(200, job()), answer(200, job(state="complete", result=7)))
    done = script.play(creating.create("mail", 1, wait=150))
    assert done.result == 7
    assert script.requests[0].headers == {"Prefer": "wait=60"}
    assert [request.path.partition("?")[2] for request in script.requests[1:]] == ["wait=60", "wait=30"]


def test_a_job_that_is_gone_when_its_end_is_waited_for_is_not_found() -> None:
    gone = {"uid": "a", "queue": "mail", "state": "gone"}
    with pytest.raises(NotFound):
        Script(answer(201, gone)).play(creating.create("mail", 1, wait=1))


def test_a_long_wait_for_a_job_is_several_requests() -> None:
    script = Script(answer(204), answer(204), answer(200, {"jobs": [job()]}))
    (claimed,) = script.play(claiming.claim("mail", wait=timedelta(minutes=3)))
    assert claimed.content == {"to": "anna"}
    assert [body["wait"] for body in script.bodies] == [60, 60, 60]


def test_a_wait_for_a_job_has_an_end() -> None:
    script = Script(answer(204), answer(204))
    assert script.play(claiming.claim("mail", wait=90)) == []
    assert [body["wait"] for body in script.bodies] == [60, 30]


@pytest.mark.parametrize(
    ("queues", "path", "sent"),
    [
        ("mail", "/queues/mail/claim", None),
        (["mail", "faxes"], "/claim", ["mail", "faxes"]),
        ({"mail": 3, "faxes": 1}, "/claim", {"mail": 3, "faxes": 1}),
    ],
)
def test_a_claim_names_one_queue_or_several(queues: claiming.Queues, path: str, sent: object) -> None:
    script = Script(answer(204))
    script.play(claiming.claim(queues))
    assert script.requests[0].path == path
    assert script.bodies[0].get("queues") == sent


def test_answers_to_settlements_come_in_the_order_of_the_settlements() -> None:
    script = Script(_as_sent)
    settlements = [
        Progressed(_held("a"), 0.5),
        Extended(_held("b"), 30),
        Failed(_held("c"), "no"),
        Completed(_held("d"), {"ok": True}),
        Released(_held("e")),
        Completed(_held("f")),
    ]
    settled = script.play(settling.settle("mail", settlements))
    assert [each.uid for each in settled] == ["a", "b", "c", "d", "e", "f"]
    assert list(script.bodies[0]) == ["complete", "fail", "release", "extend", "progress"]
    assert script.bodies[0]["complete"] == [
        {"uid": "d", "lease": "00000000000000aa", "result": {"ok": True}},
        {"uid": "f", "lease": "00000000000000aa"},
    ]


def test_a_settlement_that_is_refused_says_why() -> None:
    document = {"code": "lease_lost", "detail": "the lease is over"}
    results = [{"uid": "a", "status": 409, "problem": document}]
    (settled,) = Script(answer(200, {"results": results})).play(
        settling.settle("mail", [Completed(_held("a"))])
    )
    assert isinstance(settled.error, LeaseLost)
    assert settled.error.detail == "the lease is over"


def test_a_job_that_was_not_claimed_cannot_be_settled() -> None:
    seen = Script(answer(200, job())).play(looking.get("mail", "a"))
    with pytest.raises(ValueError, match="was not claimed"):
        Script().play(settling.complete(seen))


def test_the_version_of_a_job_is_sent_back() -> None:
    script = Script(answer(200, job(), ETag='"17"'), answer(200, job(priority=90)))
    seen = script.play(looking.get("mail", "a"))
    script.play(controlling.update("mail", "a", priority=90, if_version=seen.version))
    assert script.requests[1].headers == {"If-Match": '"17"'}
    assert script.bodies == [{"priority": 90}]


def test_what_is_done_to_many_is_added_up_over_its_slices() -> None:
    first = {"matched": 500, "changed": 499, "refused": 1, "next_cursor": "c"}
    script = Script(answer(200, first), answer(200, {"matched": 3, "changed": 3, "refused": 0}))
    heard: list[int] = []
    done = script.play(
        controlling.bulk(
            "mail", "delete", filter="priority < 10", on_slice=lambda so_far: heard.append(so_far.changed)
        )
    )
    assert (done.matched, done.changed, done.refused) == (503, 502, 1)
    assert heard == [499, 502]
    assert [body.get("cursor") for body in script.bodies] == [None, "c"]


def test_names_in_paths_cannot_lead_elsewhere() -> None:
    script = Script(answer(200, job()))
    script.play(looking.get("../x", "a/b?c"))
    assert script.requests[0].path == "/queues/..%2Fx/jobs/a%2Fb%3Fc"


@pytest.mark.parametrize("body", [b"<html>", b'"\xff"', b'{"x":' + b"[" * 5000])
def test_an_answer_of_something_else_is_no_answer(body: bytes) -> None:
    with pytest.raises(JobEngineError, match="is the address that of a broker"):
        Script(Response(200, body, {})).play(looking.get("mail", "a"))
    with pytest.raises(JobEngineError, match="no broker answered this"):
        Script(Response(418, body, {})).play(looking.get("mail", "a"))


def test_a_proxy_that_refuses_is_not_taken_for_the_broker() -> None:
    with pytest.raises(JobEngineError, match="stands before the broker"):
        Script(Response(401, b"<html>", {})).play(looking.get("mail", "a"))


def test_a_server_that_knows_no_such_method_is_no_broker() -> None:
    with pytest.raises(NoSuchPath, match="is the address right"):
        Script(Response(501, b"<html>", {})).play(looking.get("mail", "a"))


def test_a_refusal_that_is_not_known_names_its_code() -> None:
    with pytest.raises(JobEngineError, match="too_early: wait") as refused:
        Script(problem(425, "too_early", "wait")).play(looking.get("mail", "a"))
    assert type(refused.value) is JobEngineError


def test_a_fault_of_the_broker_names_the_request() -> None:
    with pytest.raises(JobEngineError, match=r"it failed \(request r-1\)"):
        Script(problem(500, "internal_error", "it failed")).play(looking.get("mail", "a"))
