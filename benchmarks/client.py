"""One HTTP connection, as thin as can be: what it measures shall be the server."""

import socket
import time
from collections.abc import Sequence
from typing import Self

from benchmarks.job import QUEUE, SERVICE


def request(method: str, path: str, body: bytes = b"") -> bytes:
    """The bytes of one request."""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Name: {SERVICE}\r\nX-Queue: {QUEUE}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection:
    """A kept connection to a server on the loopback."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, sent: bytes) -> tuple[int, bytes]:
        """Send a request, and wait for its answer: status and body."""
        self.send(sent)
        return self._receive_answer()

    def send(self, sent: bytes) -> None:
        """Send a request, and do not wait."""
        self._socket.sendall(sent)

    def receive(self, status: int) -> bytes:
        """Wait for the answer to what was sent, and take no other than one of this status."""
        return _expected(status, *self._receive_answer())

    def _receive_answer(self) -> tuple[int, bytes]:
        head, _, begun = self._receive_head().partition(b"\r\n\r\n")
        parts = [begun]
        missing = _content_length(head) - len(begun)
        while missing > 0:
            parts.append(part := self._receive())
            missing -= len(part)
        return int(head[9:12]), b"".join(parts)

    def expect(self, status: int, sent: bytes) -> bytes:
        """Ask, and take no other answer than one of this status."""
        return _expected(status, *self.ask(sent))

    def first_byte_and_all(self, sent: bytes) -> tuple[float, float, int]:
        """Send a request that closes: seconds to the first byte, seconds to the last, bytes."""
        begun = time.perf_counter()
        self._socket.sendall(sent.replace(b"\r\nHost:", b"\r\nConnection: close\r\nHost:", 1))
        received = len(self._receive())
        first = time.perf_counter() - begun
        while part := self._socket.recv(1 << 20):
            received += len(part)
        return first, time.perf_counter() - begun, received

    def _receive_head(self) -> bytes:
        received = self._receive()
        while b"\r\n\r\n" not in received:
            received += self._receive()
        return received

    def _receive(self) -> bytes:
        if part := self._socket.recv(1 << 16):
            return part
        raise RuntimeError("the server closed the connection")


def _expected(status: int, got: int, body: bytes) -> bytes:
    if got != status:
        raise RuntimeError(f"answered {got}, not {status}: {body[:500]!r}")
    return body


def _content_length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0]) if found else 0


def timed(connection: Connection, requests: Sequence[bytes], *, status: int) -> list[float]:
    """Ask one after the other: the seconds that each took."""
    seconds = []
    for sent in requests:
        begun = time.perf_counter()
        connection.expect(status, sent)
        seconds.append(time.perf_counter() - begun)
    return seconds
