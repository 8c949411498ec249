"""Whole queues: what they hold, and what administrators do with them."""

import json

import pytest

from jobengine.access import QueueRights
from jobengine.web.v2.administering import Administering
from tests.support.api import Api
from tests.support.brokers import Broker
from tests.support.doors import broker_of, request
from tests.support.problem import problem
from tests.web.conftest import StartServer

RIGHTS = {"read": ["owner", "reader"], "write": ["owner", "writer"]}


def test_a_queue_tells_what_it_holds(owner: Api) -> None:
    owner.expect(
        201, "POST", "/jobs", [{"content": "1234"}, {"content": "1234", "delay": "1h"}, {"content": 1}]
    )
    owner.settle(owner.claim_one(), "complete")
    told = owner.expect(200, "GET", "")
    assert told["jobs"] == {"queued": 2, "inprogress": 0, "complete": 1, "failed": 0}
    assert (told["held"], told["queued_bytes"], told["from"]) == (1, 7, "configuration")
    assert (told["paused"], told["draining"]) == (False, False)
    assert told["settings"]["max_attempts"] == 1


def test_only_administrators_learn_who_has_which_right(owner: Api, ops: Api) -> None:
    assert "read" not in owner.expect(200, "GET", "")["settings"]
    assert ops.expect(200, "GET", "")["settings"]["write"] == ["owner", "writer"]


def test_a_list_of_queues_holds_those_on_which_one_has_a_right(start_server: StartServer) -> None:
    server = start_server(
        {"admin": ["ops"], "queues": {"a": RIGHTS, "b": {"read": [], "write": ["writer"]}, "c": RIGHTS}}
    )

    def seen(name: str) -> list[str]:
        with Api(server, name, "a") as api:
            return [queue["name"] for queue in api.ask("GET", "/queues").json()["queues"]]

    assert (seen("ops"), seen("writer"), seen("reader")) == (["a", "b", "c"], ["a", "b", "c"], ["a", "c"])
    assert seen("stranger") == []


async def test_a_queue_that_is_just_being_dropped_hides_no_other_one() -> None:
    async with Broker() as broker:
        await broker.configure()
        door = broker_of(broker)
        nobody = QueueRights(frozenset(), frozenset())
        door.access.configure({"dropped": nobody, "mail": nobody}, {"ops"})
        reply = await Administering(door).list_queues(request("ops", b""), {})
        assert [queue["name"] for queue in json.loads(reply.body)["queues"]] == ["mail"]


def test_a_paused_queue_hands_out_nothing(owner: Api, ops: Api) -> None:
    owner.create()
    assert ops.expect(200, "POST", "/pause")["paused"] is True
    assert owner.claim() == []
    assert ops.expect(200, "POST", "/resume", {})["paused"] is False
    assert len(owner.claim()) == 1


def test_a_drained_queue_takes_nothing(owner: Api, ops: Api) -> None:
    owner.create()
    assert ops.expect(200, "POST", "/drain")["draining"] is True
    problem(owner.here("POST", "/jobs", {"content": 1}), 409, "bad_state")
    assert len(owner.claim()) == 1
    assert ops.expect(200, "POST", "/resume")["draining"] is False
    owner.create()


def test_a_purge_removes_what_waits_and_no_more(owner: Api, ops: Api) -> None:
    owner.expect(201, "POST", "/jobs", [{"content": number} for number in range(700)])
    held = owner.claim_one()
    first = ops.expect(200, "POST", "/purge", {})
    assert first["changed"] == 500
    assert ops.expect(200, "POST", "/purge", {"cursor": first["next_cursor"]}) == {"changed": 199}
    assert [job["uid"] for job in owner.list()] == [held["uid"]]
    assert ops.expect(200, "POST", "/purge", {"state": ["inprogress"]}) == {"changed": 1}


def test_an_empty_list_of_states_purges_nothing(owner: Api, ops: Api) -> None:
    owner.create()
    problem(ops.here("POST", "/purge", {"state": []}), 422, "validation_failed")
    assert len(owner.list()) == 1


def test_dead_letters_go_back_to_where_they_died(start_server: StartServer) -> None:
    queues = {"mail": {**RIGHTS, "dead_letter": "dead"}, "dead": RIGHTS, "other": RIGHTS}
    server = start_server({"admin": ["ops"], "queues": queues})
    with Api(server, "owner", "mail") as owner, Api(server, "ops", "dead") as ops:
        uid = owner.create()["uid"]
        owner.settle(owner.claim_one(), "fail", error="boom", retry=False)
        with Api(server, "owner", "dead") as elsewhere:
            dead = elsewhere.get(uid)
        assert (dead["died_in"], dead["state"], dead["errors"][0]["text"]) == ("mail", "queued", "boom")
        assert ops.expect(200, "POST", "/redrive") == {"changed": 1}
        assert owner.get(uid)["state"] == "queued"
        owner.settle(owner.claim_one(), "fail", retry=False)
        assert ops.expect(200, "POST", "/redrive", {"to": "other"}) == {"changed": 1}
        assert owner.ask("GET", f"/queues/other/jobs/{uid}").status == 200


def test_a_queues_own_administrators_administer_that_queue_only(start_server: StartServer) -> None:
    queues = {"mail": {**RIGHTS, "admin": ["boss"]}, "letters": RIGHTS}
    server = start_server({"admin": [], "queues": queues})
    with Api(server, "boss", "mail") as boss:
        assert boss.expect(200, "POST", "/pause")["paused"] is True
        problem(boss.here("GET", "/jobs"), 403, "forbidden")
        problem(boss.ask("POST", "/queues/letters/pause"), 404, "not_found")
        assert [queue["name"] for queue in boss.ask("GET", "/queues").json()["queues"]] == ["mail"]


@pytest.mark.parametrize("target", ["closed", "no-such-queue"])
def test_a_queues_own_administrators_fill_no_queue_of_others(start_server: StartServer, target: str) -> None:
    queues = {"closed": RIGHTS, "open": {"read": [], "write": ["boss"]}}
    server = start_server({"admin": ["ops"], "queues": queues})
    settings = {**RIGHTS, "admin": ["boss"]}
    with Api(server, "ops", "mail") as ops, Api(server, "boss", "mail") as boss:
        ops.expect(201, "PUT", "", settings)
        refused = problem(boss.here("PUT", "", {**settings, "dead_letter": target}), 422, "validation_failed")
        assert refused["errors"] == [
            {
                "pointer": "/dead_letter",
                "detail": "there is no such queue, or you may neither write to it nor administer it",
            }
        ]
        boss.expect(200, "PUT", "", {**settings, "dead_letter": "open"})
        ops.expect(200, "PUT", "", {**settings, "dead_letter": "closed"})
        kept = boss.expect(200, "PUT", "", {**settings, "dead_letter": "closed", "max_jobs": 1})
        assert kept["settings"]["max_jobs"] == 1


def test_dead_letters_go_back_only_to_queues_into_which_one_may_put_jobs(start_server: StartServer) -> None:
    queues = {
        "mail": {"read": ["owner"], "write": ["owner"], "dead_letter": "dead"},
        "dead": {"read": ["owner"], "write": ["owner", "writer"], "admin": ["boss"]},
    }
    server = start_server({"admin": ["ops"], "queues": queues})
    with Api(server, "owner", "mail") as owner, Api(server, "boss", "dead") as boss:
        uid = owner.create()["uid"]
        owner.settle(owner.claim_one(), "fail", retry=False)
        problem_of_each = {"uid": uid, "status": 404, "code": "not_found"}
        told = boss.expect(200, "POST", "/redrive")
        assert (told["changed"], told["refused"]) == (0, 1)
        assert told["problems"][0].items() > problem_of_each.items()
        with Api(server, "writer", "dead") as writer:
            every = {"queue": "dead", "action": "redrive"}
            told = writer.ask("POST", "/jobs/bulk", every).json()
        assert told["problems"][0].items() > problem_of_each.items()
        with Api(server, "ops", "dead") as ops:
            assert ops.expect(200, "POST", "/redrive") == {"changed": 1}
        assert owner.get(uid)["state"] == "queued"


def test_a_queue_is_made_changed_and_dropped(start_server: StartServer) -> None:
    server = start_server({"admin": ["ops"], "queues": {"mail": RIGHTS}})
    with Api(server, "ops", "new") as ops, Api(server, "owner", "new") as owner:
        made = ops.expect(201, "PUT", "", {**RIGHTS, "max_attempts": 3})
        assert (made["from"], made["settings"]["max_attempts"]) == ("api", 3)
        owner.create()
        changed = ops.expect(200, "PUT", "", {**RIGHTS, "max_jobs": 1})
        assert changed["settings"]["max_jobs"] == 1
        refused = owner.here("POST", "/jobs", {"content": 2})
        problem(refused, 429, "queue_full")
        ops.expect(204, "DELETE", "")
        problem(owner.here("GET", "/jobs"), 404, "not_found")


def test_the_settings_that_are_shown_may_be_put_back(start_server: StartServer) -> None:
    server = start_server({"admin": ["ops"], "queues": {"mail": RIGHTS}})
    settings = {
        **RIGHTS,
        "admin": ["boss"],
        "max_attempts": 3,
        "backoff": {"from": 1.5, "factor": 3, "to": 60, "jitter": 0},
        "errors": {"BadInput": "fail", "Busy": [1, 2.5]},
        "dead_letter": "mail",
        "max_jobs": 5,
        "when_full": "drop_lowest",
        "on_expire": "fail",
    }
    with Api(server, "ops", "new") as ops:
        for put in ({}, settings):
            made = ops.here("PUT", "", {**RIGHTS, **put}).json()["settings"]
            assert {name: made[name] for name in put} == put
            assert ops.expect(200, "PUT", "", made)["settings"] == made


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_queue_of_the_configuration_is_not_changed_by_api(ops: Api, method: str) -> None:
    problem(ops.here(method, "", RIGHTS if method == "PUT" else None), 409, "bad_state")


def test_a_queue_with_mistakes_is_not_made(ops: Api) -> None:
    refused = ops.ask("PUT", "/queues/with-mistakes", {"raed": []})
    problem(refused, 422, "validation_failed")
    problem(ops.ask("GET", "/queues/with-mistakes"), 404, "not_found")
