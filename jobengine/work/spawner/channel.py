"""The worker's end of the connection to the spawner's process: packets, with file descriptors in them."""

import asyncio
import os
import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from jobengine.work.spawner.connection import PACKET_BYTES

_READ_MOST: Final = 64  # packets in one turn of the loop


class Channel:
    """Sends at once, or as soon as there is room, in order; receives as it comes."""

    def __init__(
        self, connection: socket.socket, receive: Callable[[bytes], None], gone: Callable[[], None]
    ) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PACKET_BYTES)
        self._connection = connection
        self._receive = receive
        self._gone = gone
        self._waiting: deque[tuple[bytes, Sequence[int]]] = deque()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(connection, self._read)

    def send(self, packet: bytes, descriptors: Sequence[int] = ()) -> None:
        """Send a packet and duplicates of these descriptors, which are closed here then."""
        self._waiting.append((packet, descriptors))
        if len(self._waiting) == 1:
            self._write()

    def close(self) -> None:
        """Send and receive no more: the other side sees the end."""
        if self._connection.fileno() < 0:
            return
        self._loop.remove_reader(self._connection)
        self._loop.remove_writer(self._connection)
        self._connection.close()
        while self._waiting:
            _close(self._waiting.popleft()[1])

    def _write(self) -> None:
        while self._waiting:
            packet, descriptors = self._waiting[0]
            try:
                socket.send_fds(self._connection, [packet], list(descriptors))
            except BlockingIOError:
                self._loop.add_writer(self._connection, self._write)
                return
            except OSError:
                pass  # nobody is there: the reader sees it, too
            self._waiting.popleft()
            _close(descriptors)
        self._loop.remove_writer(self._connection)

    def _read(self) -> None:
        for _ in range(_READ_MOST):
            try:
                packet = self._connection.recv(PACKET_BYTES)
            except BlockingIOError:
                return
            except OSError:
                packet = b""
            if not packet:
                self.close()
                self._gone()
                return
            self._receive(packet)


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
