"""The worker that people write."""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TypeVar

from jobengine.client.address import address
from jobengine.client.worker.functions import Function, JobFunction, described
from jobengine.client.worker.shift import Plan, Shift
from jobengine.errors import ConfigurationWrong

FunctionT = TypeVar("FunctionT", bound=JobFunction)


class Worker:
    """Does the jobs of queues with functions, several at once.

    Each job is the worker's for `lease_seconds`, renewed until its function has ended, by a thread that no
    function can hold up as long as it lets go of the interpreter. When the worker stops, what is being done
    has `drain_seconds` to end, and is given back then.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        name: str | None = None,
        concurrency: int = 4,
        lease_seconds: float = 60,
        drain_seconds: float = 30,
        ca: str | Path | None = None,
        cert: str | Path | None = None,
        key: str | Path | None = None,
    ) -> None:
        """What is not given comes from JOBENGINE_URL, _NAME, _CA, _CERT and _KEY when it runs.

        Raises ValueError for a worker that could do nothing.
        """
        if concurrency < 1:
            raise ValueError(f"concurrency is how many jobs are done at once, at least 1, not {concurrency}")
        self._url, self._name, self._ca, self._cert, self._key = url, name, ca, cert, key
        self._concurrency = concurrency
        self._lease_seconds = lease_seconds
        self._drain_seconds = drain_seconds
        self._functions: dict[str, Function] = {}
        self._shift: Shift | None = None
        self._is_to_stop = False  # perhaps before there is anything to stop

    def job(
        self, queue: str, *, in_process: bool = False, weight: int = 1
    ) -> Callable[[FunctionT], FunctionT]:
        """Let the decorated function do the jobs of this queue. It takes the content, or content and job.

        The job is a CurrentJob, in a process a Job. Asynchronous functions run in one event loop, others in
        threads, or `in_process`. What it returns is the job's result; what it raises is why the job failed.
        Of several queues that have jobs, each is served as its weight says.
        """

        def decorate(call: FunctionT) -> FunctionT:
            if queue in self._functions:
                raise ValueError(f"two functions for the queue {queue}")
            self._functions[queue] = described(queue, call, in_process=in_process, weight=weight)
            return call

        return decorate

    def run(self, *, url: str | None = None, name: str | None = None, until_empty: bool = False) -> None:
        """Work until SIGTERM, SIGINT or `stop`; or until nothing is left to do.

        A second signal gives back at once what is being done. Raises ConfigurationWrong, and what refuses the
        worker for good: NotFound or Forbidden for a queue that it may not read.
        """
        with self._ended_by_signals():
            asyncio.run(self.serve(url=url, name=name, until_empty=until_empty))

    async def serve(
        self, *, url: str | None = None, name: str | None = None, until_empty: bool = False
    ) -> None:
        """As run, in the event loop of a program that has one, which looks after signals itself."""
        plan = self._plan(url, name, until_empty=until_empty)
        done: Future[None] = Future()
        done.set_running_or_notify_cancel()  # who waits for it may go: the worker still comes to its end
        arguments = (plan, asyncio.get_running_loop(), done)
        threading.Thread(target=self._work, args=arguments, name="jobengine-worker", daemon=True).start()
        waiting = asyncio.wrap_future(done)
        try:
            await asyncio.shield(waiting)
        except asyncio.CancelledError:
            self.stop(drain_seconds=0)
            await waiting
            raise

    def stop(self, *, drain_seconds: float | None = None) -> None:
        """Claim no more; what is being done has this long to end. May be called from any thread.

        A worker that does not run yet ends as soon as it does.
        """
        self._is_to_stop = True
        if (shift := self._shift) is not None:
            shift.stop(drain_seconds=drain_seconds)

    def _plan(self, url: str | None, name: str | None, *, until_empty: bool) -> Plan:
        if not self._functions:
            raise ConfigurationWrong('the worker has no function: decorate one with @worker.job("a queue")')
        return Plan(
            functions=self._functions,
            address=address(
                url or self._url, name or self._name, ca=self._ca, cert=self._cert, key=self._key
            ),
            worker=f"{socket.gethostname()}-{os.getpid()}",
            concurrency=self._concurrency,
            lease_seconds=self._lease_seconds,
            drain_seconds=self._drain_seconds,
            until_empty=until_empty,
        )

    def _work(self, plan: Plan, functions_loop: asyncio.AbstractEventLoop, done: "Future[None]") -> None:
        async def work() -> None:
            self._shift = shift = Shift(plan, functions_loop)
            if self._is_to_stop:
                shift.stop()
            try:
                await shift.work()
            finally:
                self._shift, self._is_to_stop = None, False

        try:
            asyncio.run(work())
        except BaseException as error:  # noqa: BLE001  # it is raised where it is waited for
            done.set_exception(error)
        else:
            done.set_result(None)

    @contextmanager
    def _ended_by_signals(self) -> Iterator[None]:
        """Not by the event loop's own way, which would wait for a function that blocks it."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        received: list[int] = []

        def stop(number: int, _frame: FrameType | None) -> None:
            received.append(number)
            self.stop(drain_seconds=None if len(received) == 1 else 0)

        before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, reaction in before.items():
                signal.signal(number, reaction)
