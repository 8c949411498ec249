"""Threads that do not keep the program from ending."""

from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread

from jobengine.client.worker.endings import Ending

Work = tuple[Callable[[], Ending], "Future[Ending]"]


class Threads:
    """Do one call each at a time. A function that never ends is left behind when the program ends."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._started = 0
        self._waiting: SimpleQueue[Work | None] = SimpleQueue()

    def begin(self, call: Callable[[], Ending]) -> "Future[Ending]":
        """Do it soon, on one of them. Raises RuntimeError when the system gives no more threads."""
        done: Future[Ending] = Future()
        done.set_running_or_notify_cancel()  # who waits for it may go: it will still be done
        if self._started < self._most:
            Thread(target=self._work, name=f"jobengine-job-{self._started + 1}", daemon=True).start()
            self._started += 1
        self._waiting.put((call, done))
        return done

    def stop(self) -> None:
        """End those that have nothing to do; the others end after what they do."""
        for _ in range(self._started):
            self._waiting.put(None)

    def _work(self) -> None:
        while (work := self._waiting.get()) is not None:
            call, done = work
            done.set_result(call())
