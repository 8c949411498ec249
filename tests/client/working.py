"""Workers at work, in a thread of the test."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from jobengine import Worker

WAIT_SECONDS = 10


@contextmanager
def working(worker: Worker) -> Iterator[threading.Thread]:
    """The worker works until the end of the `with`."""
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield thread
    finally:
        worker.stop()
        thread.join(WAIT_SECONDS)
        assert not thread.is_alive()


def until(is_so: Callable[[], bool]) -> None:
    """Wait until it is so."""
    deadline, pause = time.monotonic() + WAIT_SECONDS, threading.Event()
    while not is_so():
        assert time.monotonic() < deadline
        pause.wait(0.01)
