"""A raw connection to a server: sends any bytes, and reads answers strictly."""

import json
import select
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WAIT_SECONDS = 20.0


@dataclass(frozen=True)
class Answer:
    """What came back for a request."""

    status: int
    reason: str
    fields: tuple[tuple[str, str], ...]  # names in lower case, in the order in which they came
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header that stands at most once."""
        values = [value for field, value in self.fields if field == name.lower()]
        assert len(values) <= 1, f"{name} stands {len(values)} times"
        return values[0] if values else None

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def closes(self) -> bool:
        """Whether the server says that it closes the connection."""
        return self.header("Connection") == "close"


class Connection:
    """One TCP connection to the server on this port of this machine."""

    def __init__(self, port: int, *, receive_buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(WAIT_SECONDS)
        try:
            self.socket.connect(("127.0.0.1", port))
        except OSError:
            self.socket.close()
            raise
        self._host = f"127.0.0.1:{port}"
        self._incoming = self.socket.makefile("rb")

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Go away, as a client does that has what it wants."""
        self._incoming.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send these bytes and no others."""
        self.socket.sendall(data)

    def ask(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Send a well-formed request, and wait for its answer."""
        self.send(request(method, target, {"Host": self._host, **(headers or {})}, body))
        return self.receive(to=method)

    def receive(self, *, to: str = "GET") -> Answer:
        """The next answer; `to` is the method of what it answers."""
        version, status, reason = self._line().split(" ", 2)
        assert version == "HTTP/1.1"
        fields = []
        while line := self._line():
            name, _, value = line.partition(":")
            fields.append((name.lower(), value.strip()))
        head = Answer(int(status), reason, tuple(fields), b"")
        has_body = to != "HEAD" and head.status >= 200 and head.status not in (204, 304)
        return Answer(head.status, reason, head.fields, self._body(head) if has_body else b"")

    def is_cut(self, *, within: float = 5.0) -> bool:
        """Whether the server closes the connection soon, with nothing more to say."""
        self.socket.settimeout(within)
        try:
            return self._incoming.read(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def has_something(self, *, within: float) -> bool:
        """Whether an answer, or the end of the connection, comes so soon."""
        return bool(select.select([self.socket], [], [], within)[0])

    def all_that_comes(self) -> bytes:
        """All bytes from now on, when nothing more is sent."""
        self.socket.shutdown(socket.SHUT_WR)
        received = bytearray()
        try:
            while data := self.socket.recv(65536):
                received += data
        except ConnectionError:
            pass
        return bytes(received)

    def _line(self) -> str:
        line = self._incoming.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionResetError(f"the connection ended after {line!r}")
        return line[:-2].decode("latin-1")

    def _body(self, head: Answer) -> bytes:
        length = head.header("Content-Length")
        if head.header("Transfer-Encoding") == "chunked":
            assert length is None
            return b"".join(iter(self._chunk, b""))
        if length is None:
            assert head.closes
            return self._incoming.read()
        return self._exactly(int(length))

    def _chunk(self) -> bytes:
        chunk = self._exactly(int(self._line(), 16))
        assert self._line() == ""
        return chunk

    def _exactly(self, length: int) -> bytes:
        data = self._incoming.read(length)
        if len(data) < length:
            raise ConnectionResetError(f"the connection ended {length - len(data)} bytes too early")
        return data


def request(method: str, target: str, headers: Mapping[str, str], body: bytes | None = None) -> bytes:
    """The bytes of a request."""
    fields = dict(headers)
    if body is not None:
        fields.setdefault("Content-Length", str(len(body)))
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1") + (body or b"")
