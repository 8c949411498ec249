"""Processes for functions that would hold up all others: long computations, C code that keeps the lock."""

import multiprocessing
import signal
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from jobengine.client.job import Held, Job
from jobengine.client.worker.endings import Ending, ending
from jobengine.client.worker.functions import Function, JobFunction


class Processes:
    """Made when the first is needed, and anew when one of them has died."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._pool: ProcessPoolExecutor | None = None

    def begin(self, function: Function, job: Job, held: Held) -> "Future[Ending]":
        """Do it on one of them. The future raises BrokenProcessPool when that dies."""
        arguments = (job.content, job) if function.takes_job else (job.content,)
        try:
            return self._ready().submit(_do, function.call, arguments, held)
        except BrokenProcessPool:  # it died since the last job
            self._pool = None
            return self._ready().submit(_do, function.call, arguments, held)

    def stop(self) -> None:
        """Wait for none of them, and begin nothing more."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _ready(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # Not forked: threads run here, and a fork would copy the locks that they hold.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._most, context, _leave_interrupts)
        return self._pool


def _leave_interrupts() -> None:
    """To the worker: a terminal sends them to all its processes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _do(call: JobFunction, arguments: tuple[object, ...], held: Held) -> Ending:
    return ending(held, lambda: call(*arguments))
