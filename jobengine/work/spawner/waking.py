"""Waits for packets and for signals at the same time. Standard library only."""

import os
import select
import signal
from collections.abc import Iterable
from socket import socket
from typing import Final

# Meant for the server, by a terminal or a service manager: it ends what runs in its own time. They are caught
# and not ignored, because programs inherit what is ignored.
_NOT_OURS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
# A child has ended; the parent has ended; more CPU time is used here than programs may.
_OURS: Final = (signal.SIGCHLD, signal.SIGUSR1, signal.SIGXCPU)


class Waking:
    """One for a process."""

    def __init__(self) -> None:
        for number in (*_OURS, *_NOT_OURS):
            signal.signal(number, lambda _number, _frame: None)
        self._end, other = os.pipe()
        os.set_blocking(self._end, False)
        os.set_blocking(other, False)
        signal.set_wakeup_fd(other, warn_on_full_buffer=False)
        self._poll = select.poll()
        self._poll.register(self._end, select.POLLIN)

    def watch(self, connection: socket | int) -> None:
        """Wait for what comes through this connection, or pipe, too."""
        self._poll.register(connection, select.POLLIN)

    def forget(self, connection: socket | int) -> None:
        """No more."""
        self._poll.unregister(connection)

    def wait(self, seconds: float | None) -> tuple[set[int], set[int]]:
        """Until something happens, or for so long: the numbers of connections, and of signals."""
        ready = {number for number, _ in self._poll.poll(None if seconds is None else seconds * 1000)}
        signals: Iterable[int] = os.read(self._end, 4096) if self._end in ready else ()
        return ready - {self._end}, set(signals)
