"""Threads that do not keep the program from ending."""

from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import Any, Final, TypeVar

ResultT = TypeVar("ResultT")

Work = tuple[Callable[[], Any], "Future[Any]"]
NAME: Final = "jobengine-job"


class Threads:
    """Do one call each at a time. What never ends is left behind when the program ends."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._started = 0
        self._idle = Semaphore(0)
        self._waiting: SimpleQueue[Work | None] = SimpleQueue()

    def begin(self, call: Callable[[], ResultT]) -> "Future[ResultT]":
        """Do it soon, on one of them. Raises RuntimeError when the system gives no more threads."""
        done: Future[ResultT] = Future()
        done.set_running_or_notify_cancel()  # who waits for it may go: it will still be done
        if not self._idle.acquire(blocking=False) and self._started < self.most:
            Thread(target=self._work, name=f"{NAME}-{self._started + 1}", daemon=True).start()
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
            try:
                done.set_result(call())
            except BaseException as error:  # noqa: BLE001  # it is raised where it is waited for
                done.set_exception(error)
            self._idle.release()
