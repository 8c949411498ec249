"""Lists of many jobs: streamed, one moment's picture, and nobody waits for them."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice

import pytest

from tests.support.connection import request
from tests.support.server import ServerProcess
from tests.support.service import Service

JOBS = 20_000
CREATORS = 40


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with many jobs in one queue."""
    with ServerProcess(tmp_path_factory.mktemp("full")) as server:
        with ExitStack() as services:
            fill([services.enter_context(server.service("owner")) for _ in range(CREATORS)])
        yield server
        assert server.stop() == 0
        assert "Traceback" not in server.log


def fill(creators: list[Service]) -> None:
    """Each creates its share of the jobs; many at a time share a sync."""
    for first in range(0, JOBS, 50 * CREATORS):
        for number in range(first, first + 50 * CREATORS):
            creator = creators[number % CREATORS]
            creator.connection.send(create(creator, number))
        for creator in creators:
            assert {creator.connection.receive().status for _ in range(50)} == {201}


def create(owner: Service, number: int) -> bytes:
    content = b'{"content":{"number":%d},"valid_for":6000,"priority":50}' % number
    return request("PUT", "/api/v1/jobs/create", {"Host": "a", **owner.headers}, content)


def listing(owner: Service) -> bytes:
    return request("GET", "/api/v1/jobs", {"Host": "a", **owner.headers})


def test_a_long_list_is_whole_and_in_order(full: ServerProcess) -> None:
    with full.service("owner") as owner:
        answer = owner.ask("GET", "/api/v1/jobs")
        assert answer.header("Transfer-Encoding") == "chunked"
        assert list(answer.json()) == [str(position) for position in range(JOBS)]
        numbers = [job["content"]["number"] for job in answer.json().values()]
        for creator in range(CREATORS):
            assert [each for each in numbers if each % CREATORS == creator] == list(
                range(creator, JOBS, CREATORS)
            )


def test_a_list_takes_no_memory_however_long(full: ServerProcess) -> None:
    with full.connect(receive_buffer=4096) as slow, full.service("owner") as owner:
        before = full.resident_bytes()
        slow.send(listing(owner))
        assert slow.socket.recv(1000)
        assert full.resident_bytes() - before < 4_000_000


def test_a_list_is_one_moments_picture_whatever_happens_meanwhile(full: ServerProcess) -> None:
    with full.connect(receive_buffer=4096) as slow, full.service("owner") as owner:
        picture = owner.jobs()
        slow.send(listing(owner))
        assert slow.socket.recv(16, 2)  # it has begun
        first, last = picture["0"], picture[str(JOBS - 1)]
        middle = picture[str(JOBS // 2)]
        new = owner.create(priority=100)
        claimed = owner.claim()
        assert claimed["uid"] == new["uid"]
        owner.update(first["uid"], content={"number": -1})
        owner.update(last["uid"], priority=99)
        owner.update(middle["uid"], status="complete")
        owner.delete(picture["15000"]["uid"])
        assert slow.receive().json() == picture
        for uid in (new["uid"], last["uid"], middle["uid"], first["uid"]):
            owner.delete(uid)


def test_others_are_served_while_a_list_is_written(full: ServerProcess) -> None:
    with full.service("owner") as lister, full.service("owner") as owner:
        lister.connection.send(listing(lister))
        waits = []
        for _ in range(50):
            started = time.monotonic()
            owner.ask("GET", "/api/v1/test")
            waits.append(time.monotonic() - started)
        assert lister.connection.receive().status == 200
        assert sorted(waits)[45] < 0.1


def test_a_page_far_behind_costs_what_a_page_in_front_costs(full: ServerProcess) -> None:
    with full.service("owner") as owner:
        jobs = owner.jobs()
        position, late = next(islice(jobs.items(), len(jobs) - 5, None))
        page = owner.jobs(f"?limit=2&after={late['uid']}")
        assert [int(key) for key in page] == [int(position) + 1, int(position) + 2]


def test_large_contents_are_read_back_whole_in_a_list(owner: Service) -> None:
    contents = [{"n": number, "x": chr(97 + number % 26) * 100_000} for number in range(60)]
    for content in contents:
        owner.create(content)
    owner.create({"n": "small"})
    answer = owner.ask("GET", "/api/v1/jobs")
    assert [job["content"] for job in json.loads(answer.body).values()] == [*contents, {"n": "small"}]


def test_a_list_of_which_a_large_content_is_deleted_meanwhile_is_whole(
    server: ServerProcess, owner: Service
) -> None:
    uids = [owner.create({"n": number, "x": "y" * 100_000})["uid"] for number in range(100)]
    with server.connect(receive_buffer=4096) as slow:
        slow.send(listing(owner))
        assert slow.socket.recv(16, 2)
        for uid in uids:
            owner.delete(uid)
        jobs = slow.receive().json()
    assert [job["uid"] for job in jobs.values()] == uids
    assert all(len(job["content"]["x"]) == 100_000 for job in jobs.values())
