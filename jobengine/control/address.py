"""Where the control socket stands: beside the database file, under its name and `.sock`.

The address of a Unix socket has room for 107 bytes, and a path may be longer. So both sides go by a
descriptor: the server binds a short name in the directory and then renames it; a client opens the socket.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_MODE: Final = 0o600
_BACKLOG: Final = 16


def socket_path(database: Path) -> Path:
    """The socket of the server that serves this database file."""
    path = Path(os.path.realpath(database))
    return path.with_name(f"{path.name}.sock")


def listen(path: Path) -> socket.socket:
    """A listening socket under this name, in the place of one that a crash left. Raises OSError."""
    listening = socket.socket(socket.AF_UNIX)
    try:
        with _opened(path.parent) as directory:
            _listen(listening, directory, path.name)
    except BaseException:
        listening.close()
        raise
    return listening


def connect(path: Path, *, seconds: float) -> socket.socket:
    """A connection to who listens there; each wait in it lasts at most so long. Raises OSError."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(seconds)
        with _opened(path) as file:
            connection.connect(f"/proc/self/fd/{file}")
    except BaseException:
        connection.close()
        raise
    return connection


def _listen(listening: socket.socket, directory: int, name: str) -> None:
    first = f".{os.getpid()}.queuedb.sock"
    with suppress(FileNotFoundError):
        os.unlink(first, dir_fd=directory)
    listening.bind(f"/proc/self/fd/{directory}/{first}")
    # Before anybody can connect: that begins with listening.
    os.chmod(first, _MODE, dir_fd=directory)
    listening.listen(_BACKLOG)
    os.rename(first, name, src_dir_fd=directory, dst_dir_fd=directory)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    file = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        yield file
    finally:
        os.close(file)
