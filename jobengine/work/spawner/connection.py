"""Packets with file descriptors, between the worker and its spawner's processes. Standard library only."""

import os
import socket
import struct
from collections.abc import Sequence
from contextlib import suppress
from fcntl import F_DUPFD_CLOEXEC, fcntl
from typing import Final

PACKET_BYTES: Final = 128 * 1024  # what the kernel takes at once without being asked for more
_DESCRIPTORS_MOST: Final = 2
_DESCRIPTOR: Final = struct.Struct("=i")


def taken_over(number: int) -> socket.socket:
    """The end of a connection that was inherited, where no program inherits it and no low number is used."""
    high = fcntl(number, F_DUPFD_CLOEXEC, 10)
    os.close(number)
    return socket.socket(fileno=high)


def receive(connection: socket.socket) -> tuple[bytes, list[int]]:
    """The next packet; an empty one when the other side is gone. No program inherits the descriptors."""
    # Not socket.recv_fds: Python 3.11's forgets its flags, and every program would have the others' pipes.
    room = socket.CMSG_SPACE(_DESCRIPTORS_MOST * _DESCRIPTOR.size)
    try:
        data, ancillary, _, _ = connection.recvmsg(PACKET_BYTES, room, socket.MSG_CMSG_CLOEXEC)
    except ConnectionError:
        return b"", []
    return data, [number for _, _, cells in ancillary for (number,) in _DESCRIPTOR.iter_unpack(cells)]


def send(connection: socket.socket, packet: bytes, descriptors: Sequence[int] = ()) -> None:
    """Send a packet; nothing happens when the other side is gone, which its reader sees. Raises OSError."""
    with suppress(ConnectionError):
        socket.send_fds(connection, [packet], descriptors)
