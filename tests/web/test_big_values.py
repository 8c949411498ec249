"""Big values live in the file, not in memory."""

import json
from hashlib import sha256

import pytest

from tests.support.server import ServerProcess
from tests.support.service import Service
from tests.web.conftest import StartServer

JOBS = 2000
CONTENT_BYTES = 512 * 1024
MOST_RESIDENT_BYTES = 150 * 1024 * 1024


def content(number: int) -> bytes:
    """Of CONTENT_BYTES, and different for each job in every part."""
    part = sha256(b"%d" % number).hexdigest().encode()
    return b'{"n":%d,"x":"%b"}' % (number, (part * (CONTENT_BYTES // 64))[: CONTENT_BYTES - 20])


def body(number: int) -> bytes:
    return b'{"content":%b,"valid_for":6000,"priority":50}' % content(number)


def shown(service: Service, uid: str) -> bytes:
    answer = service.ask("GET", f"/api/v1/jobs/{uid}")
    assert answer.status == 200
    return answer.body[len(b'{"content":') : answer.body.rindex(b',"created":')]


@pytest.mark.slow
def test_two_thousand_jobs_of_512_kib_stay_under_150_mib(start_server: StartServer) -> None:
    server = start_server()
    with server.service("owner") as owner:
        uids = [owner.send_create(body(number)).json()["uid"] for number in range(JOBS)]
        assert server.resident_bytes() < MOST_RESIDENT_BYTES
        for number in range(0, JOBS, 50):
            assert shown(owner, uids[number]) == content(number)
        assert list_length(server) > JOBS * CONTENT_BYTES
        assert server.resident_bytes() < MOST_RESIDENT_BYTES
        claimed = owner.claim()
        assert json.dumps(claimed["content"], separators=(",", ":")).encode() == content(0)
    assert server.stop() == 0
    server.start()
    with server.service("owner") as owner:
        assert server.resident_bytes() < MOST_RESIDENT_BYTES
        for number in range(0, JOBS, 50):
            assert shown(owner, uids[number]) == content(number)
        owner.update(claimed["uid"], status="complete")
    assert server.stop() == 0


def list_length(server: ServerProcess) -> int:
    """How many bytes the list of all jobs has, looked at without keeping them."""
    with server.service("owner") as owner:
        who = "".join(f"{name}: {value}\r\n" for name, value in owner.headers.items())
        owner.connection.send(f"GET /api/v1/jobs HTTP/1.0\r\nHost: a\r\n{who}\r\n".encode())
        length = 0
        while data := owner.connection.socket.recv(1 << 20):
            length += len(data)
        return length
