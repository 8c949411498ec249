"""Asynchronous functions, in the event loop of whoever serves."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any

from jobengine.client.worker.endings import Ending


class InLoop:
    """One asynchronous function on its way: begun and cancelled from other threads."""

    def __init__(self, loop: asyncio.AbstractEventLoop, doing: Coroutine[Any, Any, Ending]) -> None:
        self.done: Future[Ending] = Future()
        self.done.set_running_or_notify_cancel()  # who waits for it may go: it will still end
        self._loop = loop
        self._doing = doing
        self._task: asyncio.Task[Ending] | None = None
        loop.call_soon_threadsafe(self._begin)

    def cancel(self) -> None:
        """Cancel it; it has ended when it says so."""
        self._loop.call_soon_threadsafe(self._cancel)

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._doing)
        self._task.add_done_callback(self._end)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _end(self, task: "asyncio.Task[Ending]") -> None:
        if task.cancelled():
            self.done.set_exception(asyncio.CancelledError())
        elif (error := task.exception()) is not None:
            self.done.set_exception(error)
        else:
            self.done.set_result(task.result())
