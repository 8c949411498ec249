"""The worker's end of a connection to a process of its spawner: packets, with file descriptors in them."""

import asyncio
import errno
import os
import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from jobengine.work.spawner.connection import PACKET_BYTES, receive

_LATER: Final = (errno.EAGAIN, errno.ETOOMANYREFS)  # no room for the packet, or for its descriptors
_READ_MOST: Final = 64  # packets in one turn of the loop


class Channel:
    """Sends at once, or as soon as there is room, in order; receives as it comes."""

    def __init__(
        self, connection: socket.socket, receive: Callable[[bytes, list[int]], None], gone: Callable[[], None]
    ) -> None:
        connection.settimeout(0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PACKET_BYTES)
        self._connection = connection
        self._receive = receive
        self._gone = gone
        self._waiting: deque[tuple[bytes, Sequence[int]]] = deque()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(connection, self.read)

    def send(self, packet: bytes, descriptors: Sequence[int] = ()) -> None:
        """Send a packet and duplicates of these descriptors, which are closed here then."""
        if self._connection.fileno() < 0:
            _close(descriptors)
        elif self._waiting or not self._is_sent(packet, descriptors):
            self._waiting.append((packet, descriptors))
            self._loop.add_writer(self._connection, self._write)

    def close(self) -> None:
        """Send and receive no more: the other side sees the end."""
        if self._connection.fileno() < 0:
            return
        self._loop.remove_reader(self._connection)
        self._loop.remove_writer(self._connection)
        self._connection.close()
        while self._waiting:
            _close(self._waiting.popleft()[1])

    def read(self) -> None:
        """Receive what is there."""
        for _ in range(_READ_MOST):
            try:
                packet, descriptors = receive(self._connection)
            except BlockingIOError:
                return
            if not packet:
                self.close()
                self._gone()
                return
            self._receive(packet, descriptors)
            if self._connection.fileno() < 0:
                return

    def _write(self) -> None:
        while self._waiting and self._is_sent(*self._waiting[0]):
            self._waiting.popleft()
        if not self._waiting:
            self._loop.remove_writer(self._connection)

    def _is_sent(self, packet: bytes, descriptors: Sequence[int]) -> bool:
        """Whether it is gone, or lost: then nobody is there, and the reader sees it, too."""
        try:
            socket.send_fds(self._connection, [packet], list(descriptors))
        except OSError as error:
            if error.errno in _LATER:
                return False
        _close(descriptors)
        return True


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
