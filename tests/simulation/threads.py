"""The journal's writer thread, as steps of the simulated loop."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from tests.simulation.loop import SimulatedLoop


class Inbox:
    """Stands in for the queue that the thread waits on: whatever is put in makes it run."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self.read: Callable[[], object] | None = None  # the thread that waits
        self._loop = loop
        self._entries: deque[Any] = deque()

    def put(self, entry: Any) -> None:
        """Wake the thread."""
        assert self.read is not None
        self._entries.append(entry)
        self._loop.on_thread(self.read)

    def get(self) -> Any:
        """What was put in; None, which ends the run, where a thread would wait."""
        return self._entries.popleft() if self._entries else None


class WriterThread:
    """Stands in for the thread."""

    def __init__(self, inbox: Inbox, target: Callable[[], object]) -> None:
        self._inbox = inbox
        self._target = target

    def start(self) -> None:
        """From now on it reads."""
        self._inbox.read = self._target

    def join(self, timeout: float | None = None) -> None:
        """It never runs while another does."""


@contextmanager
def simulated_threads(loop: SimulatedLoop) -> Iterator[None]:
    """Let a journal that is started meanwhile write on this loop."""
    inbox = Inbox(loop)

    def thread(*, target: Callable[[], object], **_: object) -> WriterThread:
        return WriterThread(inbox, target)

    with mock.patch.multiple("jobengine.journal.commit", SimpleQueue=lambda: inbox, Thread=thread):
        yield
