"""Requests made of junk: never a 500, and the server answers on."""

from random import Random

import pytest

from tests.support.connection import request
from tests.support.server import ServerProcess

BATCHES = 20
REQUESTS_PER_BATCH = 100

WORDS = [
    b"GET",
    b"PUT",
    b"POST",
    b"HEAD",
    b"OPTIONS",
    b"CONNECT",
    b"/",
    b"*",
    b"HTTP/1.1",
    b"HTTP/1.0",
    b"HTTP/2",
]
WORDS += [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b":",
    b"%00",
    b"%ff",
    b"\xff\xfe",
    b"..",
    b"?",
    b"#",
    b"{",
    b"[",
]
WORDS += [
    b"Content-Length",
    b"Transfer-Encoding: chunked\r\n",
    b"Expect: 100-continue\r\n",
    b"Upgrade: h2c\r\n",
]
WORDS += [
    b"Connection: upgrade\r\n",
    b"Range: bytes=0-1\r\n",
    b"X-Name: ops\r\n",
    b"X-Queue: \r\n",
    b"0\r\n\r\n",
]
WORDS += [
    b"X-Status-Filter: x\r\n",
    b"Host: \r\n",
    b"Cookie: a=b\r\n",
    b"-1",
    b"99999999999999999999",
    b"1e999",
]


def well_formed(random: Random) -> bytes:
    headers = {"Host": "a", "X-Name": random.choice(["owner", "reader", "x"]), "X-Queue": "queue-0"}
    path = random.choice(["create", "next", "x", "", "?limit=1", "?after=x&limit=2", "%00", "x/y"])
    body = random.choice(
        [None, b"", b"{}", b'{"content":{},"valid_for":1,"priority":1}', b'{"status":"failed"}']
    )
    method = random.choice(["GET", "PUT", "POST", "DELETE", "PATCH"])
    prefix = random.choice(["/api/v1/jobs/", "/api/v1/jobs", "/api/v1/", "/metrics", "/livez", ""])
    return request(method, f"{prefix}{path}" or "/", headers, body)


def spoilt(random: Random, data: bytes) -> bytes:
    """The same with some bytes changed, doubled, removed or put in."""
    pieces = bytearray(data)
    for _ in range(random.randrange(1, 6)):
        at = random.randrange(len(pieces) + 1)
        match random.randrange(4):
            case 0:
                pieces[at:at] = random.choice(WORDS)
            case 1:
                del pieces[at : at + random.randrange(1, 20)]
            case 2:
                pieces[at : at + 1] = random.randbytes(random.randrange(1, 4))
            case _:
                pieces[at:at] = pieces[at : at + random.randrange(1, 60)]
    return bytes(pieces)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_junk_is_never_answered_with_a_500(server: ServerProcess, batch: int) -> None:
    random = Random(batch)
    for _ in range(REQUESTS_PER_BATCH):
        junk = random.choice(
            [spoilt(random, well_formed(random)), random.randbytes(random.randrange(1, 200))]
        )
        with server.connect() as connection:
            connection.send(junk)
            answers = connection.all_that_comes()
        assert b"HTTP/1.1 5" not in answers, junk
    with server.connect() as connection:
        assert connection.ask("GET", "/api/v1/test").status == 200
