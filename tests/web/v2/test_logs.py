"""What jobs write: appended by their holder, read and followed by others."""

import contextlib
import json
import socket
import time
from typing import Any

import pytest

from jobengine import Client
from tests.support.api import BASE, Api
from tests.support.connection import Answer
from tests.support.server import ServerProcess
from tests.web.conftest import StartServer

OCTETS = "application/octet-stream"


def append(
    api: Api, job: Any, data: bytes, *, stream: str = "out", offset: int = 0, **headers: str
) -> Answer:
    """What a holder's job has written."""
    path = f"/jobs/{job['uid']}/log?stream={stream}&offset={offset}"
    named = {"Content_Type": OCTETS, "X_Lease": job["lease"]["id"], **headers}
    return api.here("POST", path, data, **named)


def lines(answer: Answer) -> list[Any]:
    """Of NDJSON."""
    assert answer.status == 200, answer.body
    return [json.loads(line) for line in answer.body.splitlines()]


@pytest.fixture
def job(owner: Api) -> Any:
    """One that is held by its owner."""
    owner.create({"argv": ["true"]})
    return owner.claim_one(worker="w1")


def test_what_was_written_is_read_line_by_line_in_the_order_in_which_it_came(owner: Api, job: Any) -> None:
    for data, stream, offset in ((b"one\n", "out", 0), (b"oh\n", "err", 0), (b"two\n", "out", 4)):
        assert append(owner, job, data, stream=stream, offset=offset).status == 204
    assert lines(owner.here("GET", f"/jobs/{job['uid']}/log")) == [
        {"stream": "out", "offset": 0, "text": "one\n"},
        {"stream": "err", "offset": 0, "text": "oh\n"},
        {"stream": "out", "offset": 4, "text": "two\n"},
    ]


def test_what_is_said_again_is_there_once(owner: Api, job: Any) -> None:
    for _ in range(2):
        assert append(owner, job, b"hello").status == 204
    assert lines(owner.here("GET", f"/jobs/{job['uid']}/log")) == [
        {"stream": "out", "offset": 0, "text": "hello"}
    ]


def test_one_stream_is_read_as_it_was_written_and_a_cut_is_told(owner: Api, job: Any) -> None:
    append(owner, job, b"\xff begin")
    append(owner, job, b"end", offset=107)
    append(owner, job, b"other", stream="err")
    answer = owner.here("GET", f"/jobs/{job['uid']}/log?stream=out")
    assert answer.header("Content-Type") == "text/plain; charset=utf-8"
    assert answer.body == b"\xff begin" + "\n[… 100 bytes cut …]\n".encode() + b"end"


def test_bytes_that_are_no_text_are_told_in_base64_and_a_divided_character_is_text(
    owner: Api, job: Any
) -> None:
    append(owner, job, "größ".encode()[:3])
    append(owner, job, b"x" * 20_000, stream="err")
    append(owner, job, "größ".encode()[3:] + "😀".encode()[:2], offset=3)
    told = lines(owner.here("GET", f"/jobs/{job['uid']}/log"))
    assert [line.get("text", "")[:9] for line in told] == ["gr", "xxxxxxxxx", "öß"]
    append(owner, job, b"\xff\xfe", offset=8)
    assert lines(owner.here("GET", f"/jobs/{job['uid']}/log"))[-1] == {
        "stream": "out",
        "offset": 2,
        "base64": "w7bDn/Cf//4=",
    }


def test_big_pieces_are_read_back_whole(owner: Api, job: Any) -> None:
    text = bytes(range(32, 127)) * 3000
    assert append(owner, job, text).status == 204
    assert owner.here("GET", f"/jobs/{job['uid']}/log?stream=out").body == text


def test_who_does_not_hold_the_job_writes_nothing(owner: Api, reader: Api, job: Any) -> None:
    answer = append(reader, job, b"x", X_Lease="0" * 15 + "1")
    assert (answer.status, answer.json()["code"]) == (409, "lease_lost")
    owner.settle(job, "complete")
    assert append(owner, job, b"x").json()["code"] == "lease_lost"


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("?stream=out&offset=0", {"Content_Type": "text/plain"}, 415),
        ("?stream=out&offset=0", {"Content_Encoding": "gzip"}, 415),
        ("?stream=out&offset=0", {"X_Lease": "mine"}, 422),
        ("?stream=out&offset=-1", {}, 422),
        ("?stream=both&offset=0", {}, 422),
        ("?offset=0", {}, 422),
        ("?stream=out", {}, 422),
    ],
)
def test_a_strange_piece_is_refused(
    owner: Api, job: Any, path: str, headers: dict[str, str], status: int
) -> None:
    named = {"Content_Type": OCTETS, "X_Lease": job["lease"]["id"], **headers}
    assert owner.here("POST", f"/jobs/{job['uid']}/log{path}", b"x", **named).status == status
    assert lines(owner.here("GET", f"/jobs/{job['uid']}/log")) == []


def test_a_job_of_another_queue_has_no_log_here(owner: Api, job: Any) -> None:
    path = f"/queues/queue-0/jobs/{job['uid']}/log"
    named = {"Content_Type": OCTETS, "X_Lease": job["lease"]["id"]}
    assert owner.ask("POST", f"{path}?stream=out&offset=0", b"x", **named).status == 404
    assert owner.ask("GET", path).status == 404
    assert owner.ask("GET", f"{path}?follow=1").status == 404


def test_a_log_that_is_full_is_told(owner: Api, job: Any) -> None:
    assert append(owner, job, b"x" * 1_000_000).status == 204
    answer = append(owner, job, b"x" * 400_000, offset=1_000_000)
    assert (answer.status, answer.json()["code"]) == (413, "log_full")


def test_who_may_read_or_write_may_see_the_log_and_only_readers_append(
    owner: Api, reader: Api, writer: Api, stranger: Api, job: Any
) -> None:
    path = f"/jobs/{job['uid']}/log"
    asked = [api.here("GET", path).status for api in (owner, reader, writer, stranger)]
    assert asked == [200, 200, 200, 404]
    assert [append(api, job, b"x").status for api in (writer, stranger)] == [403, 404]


def test_a_part_of_a_log_is_all_behind_a_position(owner: Api, job: Any) -> None:
    append(owner, job, b"one")
    first = owner.here("GET", f"/jobs/{job['uid']}/log")
    append(owner, job, b"two", offset=3)
    after = first.header("Log-Position")
    second = owner.here("GET", f"/jobs/{job['uid']}/log?after={after}&wait=10")
    assert lines(second) == [{"stream": "out", "offset": 3, "text": "two"}]
    assert second.header("Job-State") == "inprogress"
    assert owner.here("GET", f"/jobs/{job['uid']}/log?after=there").status == 422


def test_a_long_log_is_read_part_by_part_and_nothing_is_lost_between_them(start_server: StartServer) -> None:
    everybody = {"read": ["*"], "write": ["*"], "log_bytes": "16MiB"}
    server = start_server({"queues": {"mail": everybody}})
    written = ("é" * 450_001).encode()[:-1]  # a character is divided wherever a part ends
    with Client(f"http://127.0.0.1:{server.port}", name="ops") as client:
        client.create("mail", {})
        (job,) = client.claim("mail")
        for number in range(10):
            client.append_log(job, "out", number * len(written), written)
        part = client.log_part("mail", job.uid)
        assert part.has_more
        assert 4 << 20 <= sum(len(piece.data) for piece in part.pieces) < 6 << 20
        client.complete(job)
        assert not client.log_part("mail", job.uid).has_ended
        for follow in (False, True):
            pieces = list(client.log("mail", job.uid, follow=follow))
            assert b"".join(piece.data for piece in pieces) == 10 * written
            assert [piece.offset for piece in pieces][1:] == [piece.end for piece in pieces][:-1]


def events(api: Api, uid: str, **headers: str) -> "socket.socket":
    """A connection on which events come."""
    opened = socket.create_connection(("127.0.0.1", api.server.port), timeout=10)
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    target = f"{BASE}/queues/{api.queue}/jobs/{uid}/log?follow=1"
    opened.sendall(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Name: {api.name}\r\n{more}\r\n".encode())
    return opened


def received(opened: "socket.socket", until: bytes) -> bytes:
    """All until this."""
    got = b""
    while until not in got:
        piece = opened.recv(65536)
        assert piece, got
        got += piece
    return got


def test_a_log_is_followed_while_it_grows_until_the_job_has_ended(owner: Api, job: Any) -> None:
    append(owner, job, b"one")
    with events(owner, job["uid"]) as opened:
        assert b"Content-Type: text/event-stream" in received(opened, b'"text":"one"')
        append(owner, job, b"two", offset=3)
        got = received(opened, b'"text":"two"')
        assert b"event: out" in got
        owner.settle(job, "complete")
        assert b'data: {"state":"complete"}' in received(opened, b"0\r\n\r\n")


def test_who_was_cut_off_goes_on_behind_what_it_has_read(owner: Api, job: Any) -> None:
    append(owner, job, b"one")
    with events(owner, job["uid"]) as opened:
        id_ = received(opened, b"data:").split(b"id: ")[1].split(b"\n")[0].decode()
    append(owner, job, b"two", offset=3)
    with events(owner, job["uid"], Last_Event_ID=id_) as opened:
        got = received(opened, b"two")
        assert b"one" not in got


def _has_place(server: ServerProcess) -> bool:
    with contextlib.suppress(ConnectionError), server.connect() as connection:
        return connection.ask("GET", "/livez").status == 200
    return False


def test_followers_who_go_leave_their_places_to_others(start_server: StartServer) -> None:
    server = start_server({"limits": {"connections": 4}})
    with Api(server, "owner", "mail") as owner:
        owner.create()
        job = owner.claim_one()
        append(owner, job, b"one")
        for _ in range(10):  # all of them find a place: nobody is left in it
            with events(owner, job["uid"]) as first, events(owner, job["uid"]) as second:
                received(first, b'"text":"one"')
                received(second, b'"text":"one"')


def test_followers_who_do_not_read_are_cut_off_and_hold_no_memory(start_server: StartServer) -> None:
    everybody = {"read": ["owner"], "write": ["owner"], "log_bytes": "16MiB"}
    server = start_server({"queues": {"mail": everybody}, "limits": {"write_seconds": 1, "connections": 21}})
    with Api(server, "owner", "mail") as owner, contextlib.ExitStack() as followers:
        owner.create()
        job = owner.claim_one()
        piece = b"x" * 900_000
        for number in range(16):
            assert append(owner, job, piece, offset=number * len(piece)).status == 204
        before = server.resident_bytes()
        waiting = [followers.enter_context(events(owner, job["uid"])) for _ in range(20)]
        for each in waiting:
            received(each, b"event: out")
        assert server.resident_bytes() - before < 128 << 20  # some pieces for each, and not 288 MB
        until = time.monotonic() + 30
        while not _has_place(server):
            assert time.monotonic() < until


def test_who_follows_a_job_that_is_deleted_is_told(owner: Api, job: Any) -> None:
    append(owner, job, b"one")
    with events(owner, job["uid"]) as opened:
        received(opened, b"one")
        owner.expect(204, "DELETE", f"/jobs/{job['uid']}")
        assert b'{"state":"gone"}' in received(opened, b"0\r\n\r\n")


def test_a_failure_shows_its_result_and_what_was_saved_is_for_the_next_holder(owner: Api) -> None:
    created = owner.create(None, max_attempts=2)
    job = owner.claim_one()
    assert owner.settle(job, "release", saved={"done": 3}).status == 200
    assert "saved" not in owner.get(created["uid"])
    again = owner.claim_one()
    assert again["saved"] == {"done": 3}
    assert "saved" not in owner.get(created["uid"])
    failed = owner.settle(again, "fail", retry=False, result={"exit_code": 1}).json()
    assert (failed["state"], failed["result"]) == ("failed", {"exit_code": 1})


def test_workers_are_told_to_who_may_read(owner: Api, reader: Api, writer: Api, ops: Api, job: Any) -> None:
    def told(api: Api) -> list[Any]:
        workers = api.ask("GET", "/workers").json()["workers"]
        return [each for each in workers if api.queue in each["queues"]]

    (worker,) = told(owner)
    assert (worker["name"], worker["service"]) == ("w1", "owner")
    assert job["uid"] in worker["jobs"]
    assert told(reader)
    assert told(ops)
    assert told(writer) == []
    owner.settle(job, "complete")
    assert job["uid"] not in told(owner)[0]["jobs"]


def test_a_server_that_stops_sends_followers_away_at_once(start_server: StartServer) -> None:
    server = start_server()
    with Api(server, "owner", "mail") as owner:
        owner.create()
        job = owner.claim_one()
        append(owner, job, b"one")
        with events(owner, job["uid"]) as opened:
            received(opened, b"one")
            assert server.stop() == 0
            rest = received(opened, b"0\r\n\r\n")
            assert b"event: end" not in rest
