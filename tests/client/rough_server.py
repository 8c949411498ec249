"""A server that answers as a test says: with these bytes, late, or not at all."""

import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from threading import Event, Thread
from typing import BinaryIO, Final

CUT: Final = b""  # no answer: the connection ends
HANG: Final = None  # no answer, and nothing else, until the test ends


def ok(body: str) -> bytes:
    """A good answer."""
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


class RoughServer:
    """Takes one answer after the other, whatever is asked, on whatever connection."""

    def __init__(self, answers: Iterable[bytes | None], *, tls: ssl.SSLContext | None = None) -> None:
        self._answers = list(answers)
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ended = Event()
        self._open: list[socket.socket] = []
        self.requests: list[bytes] = []  # the bodies
        self.connections = 0
        self.port = self._listener.getsockname()[1]

    def __enter__(self) -> "RoughServer":
        Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.stop_listening()
        self.cut()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self.port}"

    def stop_listening(self) -> None:
        """Let nobody in any more."""
        with socket.socket() as last:  # wakes whoever accepts
            last.connect_ex(("127.0.0.1", self.port))
        self._listener.close()

    def cut(self) -> None:
        """End all connections."""
        for connection in self._open:
            with suppress(OSError):  # it has ended already
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._listener.accept()
                if self._tls is not None:
                    connection = self._tls.wrap_socket(connection, server_side=True)
            except OSError:  # closed, or somebody who does not trust the certificate
                continue
            self.connections += 1
            self._open.append(connection)
            Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as incoming:
            try:
                while (body := _request(incoming)) is not None:
                    self.requests.append(body)
                    answer = self._answers.pop(0)
                    if answer is HANG:
                        self._ended.wait()
                    if not answer:
                        return
                    connection.sendall(answer)
            except OSError:
                return


def _request(incoming: BinaryIO) -> bytes | None:
    length = 0
    line = first = incoming.readline()
    while line.strip():
        name, _, value = line.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
        line = incoming.readline()
    return incoming.read(length) if first else None
