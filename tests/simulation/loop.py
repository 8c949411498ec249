"""An event loop that is alone in its world: what runs next, and when, is decided by a seed."""

import asyncio
import heapq
from collections.abc import Callable
from contextvars import Context
from random import Random
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")

STEPS_AT_ONCE_MOST = 10_000  # without any time passing: then something waits in a circle
TICK_SECONDS = 1e-6  # that always pass
THREAD_SECONDS = 0.0005  # that a thread mostly takes until it runs, and again until its word is heard


class SimulatedLoop(asyncio.AbstractEventLoop):
    """Runs what is ready in any order. Time passes only when nothing is ready.

    Real loops keep to the order of registration. Nothing of ours may rely on that: between two processes
    that talk over a network there is no such order.
    """

    def __init__(self, random: Random, *, now: float) -> None:
        self.steps = 0
        self.thread_seconds = THREAD_SECONDS
        self.problems: list[str] = []  # what escaped from a callback
        self.tasks: list[asyncio.Task[Any]] = []  # all that ever were, in order
        self._random = random
        self._now = now
        self._ready: list[asyncio.Handle] = []
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._timers_made = 0
        self._steps_at_once = 0

    def run(self, until: Callable[[], bool]) -> None:
        """Go on step by step until this holds, or nothing is left to do."""
        asyncio._set_running_loop(self)
        try:
            while not until() and self._step():
                pass
        finally:
            asyncio._set_running_loop(None)

    def run_until_complete(self, future: Any) -> Any:
        """Run until this is done; its result."""
        task = asyncio.ensure_future(future, loop=self)
        self.run(task.done)
        assert task.done(), "it waits for something that never comes"
        return task.result()

    def on_thread(self, run: Callable[[], object]) -> None:
        """Let a thread run this. It takes a while to begin, and then is not interrupted."""
        self.call_later(self._pause(), run)

    def _pause(self) -> float:
        return self._random.random() * self.thread_seconds

    def _step(self) -> bool:
        if not self._ready and not self._wait():
            return False
        # Any of them; the last takes its place.
        chosen = int(self._random.random() * len(self._ready))
        handle, self._ready[chosen] = self._ready[chosen], self._ready[-1]
        self._ready.pop()
        self.steps += 1
        self._steps_at_once += 1
        if self._steps_at_once == STEPS_AT_ONCE_MOST:
            self.problems.append(f"it turns in a circle: {handle}")
        if not handle.cancelled():
            handle._run()
        return True

    def _wait(self) -> bool:
        """Let time pass until something is ready."""
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        if not self._timers:
            return False
        self._now = max(self._timers[0][0], self._now + TICK_SECONDS)
        self._steps_at_once = 0
        while self._timers and self._timers[0][0] <= self._now:
            self._ready.append(heapq.heappop(self._timers)[2])
        return True

    # --- what asyncio asks of a loop ---

    def time(self) -> float:
        return self._now

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        return self.call_later(self._pause(), callback, *args, context=context)

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._timers_made += 1
        heapq.heappush(self._timers, (when, self._timers_made, timer))
        return timer

    def run_in_executor(
        self, executor: object, func: Callable[..., ResultT], *args: Any
    ) -> asyncio.Future[ResultT]:
        answer: asyncio.Future[ResultT] = self.create_future()

        def run() -> None:
            try:
                result = func(*args)
            except Exception as error:  # noqa: BLE001 - it is for whoever waits
                self.call_soon_threadsafe(_settle, answer, error, None)
            else:
                self.call_soon_threadsafe(_settle, answer, None, result)

        self.on_thread(run)
        return answer

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Any, *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[Any]:
        self.tasks.append(asyncio.Task(coro, loop=self, name=name, context=context))
        return self.tasks[-1]

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.problems.append(f"{context['message']}: {context.get('exception')!r}")

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return asyncio._get_running_loop() is self

    def is_closed(self) -> bool:
        return False

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is passed over when its time comes."""


def _settle(answer: "asyncio.Future[ResultT]", error: Exception | None, result: ResultT) -> None:
    if answer.done():
        return
    if error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)
