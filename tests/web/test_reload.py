"""Edits of the configuration, taken up by the running server."""

import signal
import time
from collections.abc import Mapping

from tests.support.server import QUEUES, ServerProcess
from tests.web.conftest import StartServer

SECONDS = 15.0


def edited(server: ServerProcess, configuration: Mapping[str, object], *, event: str) -> None:
    """Write the file, have it read, and wait until the log says this of it once more."""
    already = len(server.events(event))
    server.configure(configuration)
    server.send(signal.SIGHUP)
    wait_for(server, event, already + 1)


def wait_for(server: ServerProcess, event: str, times: int) -> None:
    deadline = time.monotonic() + SECONDS
    while len(server.events(event)) < times:
        assert time.monotonic() < deadline, server.log
        time.sleep(0.01)


def rights(*, read: list[str], write: list[str]) -> dict[str, object]:
    return {"queues": {"mail": {"read": read, "write": write}}}


def test_rights_change_while_it_runs(start_server: StartServer) -> None:
    server = start_server()
    with server.service("owner") as owner, server.service("newcomer") as newcomer:
        uid = owner.create()["uid"]
        assert newcomer.ask("GET", "/api/v1/jobs").status == 404
        edited(server, rights(read=["newcomer"], write=["owner"]), event="configuration_taken_up")
        assert newcomer.claim()["uid"] == uid
        assert owner.ask("GET", "/api/v1/jobs").status == 403
        edited(server, rights(read=["*"], write=[]), event="configuration_taken_up")
        assert owner.send_create(b"{}").status == 403
        assert newcomer.get(uid)["state"] == "inprogress"


def test_an_edit_is_noticed_without_a_signal(start_server: StartServer) -> None:
    server = start_server()
    server.configure(rights(read=["newcomer"], write=[]))
    wait_for(server, "configuration_taken_up", 1)
    with server.service("newcomer") as newcomer:
        assert newcomer.jobs() == {}


def test_a_reader_whose_right_is_gone_cannot_settle_what_it_claimed(start_server: StartServer) -> None:
    server = start_server()
    with server.service("owner") as owner, server.service("reader") as reader:
        owner.create()
        uid = reader.claim()["uid"]
        edited(server, rights(read=["owner"], write=["owner"]), event="configuration_taken_up")
        assert reader.send_update(uid, b'{"status":"complete"}').status == 404
        assert owner.get(uid)["state"] == "inprogress"


def test_a_new_queue_is_there_and_an_empty_one_goes(start_server: StartServer) -> None:
    server = start_server()
    queues = {"new": QUEUES["mail"]}
    edited(server, {"queues": queues}, event="configuration_taken_up")
    with server.service("owner", "new") as new, server.service("owner") as old:
        assert new.create()["state"] == "queued"
        assert old.ask("GET", "/api/v1/jobs").status == 404
    assert [line["queue"] for line in server.events("queue_added")] == ["mail", "new"]
    assert [(line["queue"], line["jobs"]) for line in server.events("queue_dropped")] == [("mail", 0)]


def test_a_queue_with_jobs_is_dropped_only_when_the_file_has_been_still(start_server: StartServer) -> None:
    server = start_server({"queues": {**QUEUES, "other": QUEUES["mail"]}})
    with server.service("owner", "other") as other, server.service("owner") as owner:
        other.create()
        kept = owner.create()
        edited(server, {}, event="configuration_waits")
        assert len(other.jobs()) == 1
        wait_for(server, "queue_dropped", 1)
        assert other.ask("GET", "/api/v1/jobs").status == 404
        assert owner.get(kept["uid"]) == kept
    assert [(line["queue"], line["jobs"]) for line in server.events("queue_dropped")] == [("other", 1)]
    server.kill()
    server.configure({"queues": {**QUEUES, "other": QUEUES["mail"]}})
    server.start()
    with server.service("owner", "other") as other:
        assert other.jobs() == {}


def test_a_bad_edit_changes_nothing_and_is_logged_with_its_reasons(start_server: StartServer) -> None:
    server = start_server()
    edited(server, {"queues": {}, "prot": 1, "admin": 5}, event="configuration_refused")
    with server.service("owner") as owner:
        assert owner.create()["state"] == "queued"
    reasons = server.events("configuration_refused")[0]["reasons"]
    assert len(reasons) == 2


def test_sighup_takes_up_what_the_file_says_and_ends_nothing(start_server: StartServer) -> None:
    server = start_server()
    with server.service("owner") as owner:
        uid = owner.create()["uid"]
        for _ in range(3):
            server.send(signal.SIGHUP)
            assert owner.get(uid)["state"] == "queued"
        server.configuration.write_text("queues: [")
        server.send(signal.SIGHUP)
        server.wait_for("configuration_refused")
        assert owner.get(uid)["state"] == "queued"
    assert server.stop() == 0


def test_a_lease_is_what_it_was_when_it_was_taken(start_server: StartServer) -> None:
    """A lease is what it was when it was taken; the next one is the new one."""
    server = start_server()
    with server.service("owner") as owner:
        owner.create()
        owner.create()
        first = owner.claim()["uid"]
        shorter = {"queues": {"mail": {**QUEUES["mail"], "job_timeout_minutes": 0.01}}}
        edited(server, shorter, event="configuration_taken_up")
        second = owner.claim()["uid"]
        deadline = time.monotonic() + 5
        while owner.get(second)["state"] == "inprogress":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert owner.get(second)["state"] == "failed"
        assert owner.get(first)["state"] == "inprogress"


def test_what_needs_a_restart_is_said(start_server: StartServer) -> None:
    server = start_server()
    edited(server, {"port": 7000, "limits": {"body_bytes": 5000}}, event="configuration_needs_restart")
    assert server.events("configuration_needs_restart")[0]["options"] == ["port", "limits.body_bytes"]
