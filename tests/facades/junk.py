"""Bodies that no older system took."""

from tests.support.problem import MARKER

JUNK = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"\xff\xfe",
    b'{"' + MARKER.encode() + b'": ',
    b'{"cmd": 1, "cmd": 2}',
    b"[" * 100,
    b'{"cmd": [1], "Input": 1, "id": 1, "data": 1, "Type": 1}',
    b'{"cmd": "' + MARKER.encode() + b'", "Input": "' + MARKER.encode() + b'", "id": "", "Type": "x"}',
]
