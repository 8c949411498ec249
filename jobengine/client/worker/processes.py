"""Processes for functions that would hold up all others: long computations, C code that keeps the lock."""

import multiprocessing
import os
import signal
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from threading import Thread

from jobengine.client.job import Held, Job
from jobengine.client.worker.endings import Ending, ending
from jobengine.client.worker.functions import Function, JobFunction


class Processes:
    """Each does one job at a time, and is kept for the next. One that dies takes no other's job with it."""

    def __init__(self) -> None:
        self._pools: set[ProcessPoolExecutor] = set()  # of one process each
        self._idle: list[ProcessPoolExecutor] = []

    def begin(self, function: Function, job: Job, held: Held) -> "Future[Ending]":
        """Do it in one of them. The future raises BrokenProcessPool when that dies."""
        arguments = (job.content, job) if function.takes_job else (job.content,)
        while True:
            pool = self._idle.pop() if self._idle else self._new()
            try:
                done = pool.submit(_do, function.call, arguments, held)
            except BrokenProcessPool:  # it died since its last job
                self._pools.discard(pool)
            else:
                done.add_done_callback(partial(self._keep, pool))
                return done

    def stop(self) -> None:
        """End all of them."""
        for pool in tuple(self._pools):
            processes = tuple((pool._processes or {}).values())  # before Python 3.14 there is no other way
            pool.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.kill()

    def _new(self) -> ProcessPoolExecutor:
        # Not forked: threads run here, and a fork would copy the locks that they hold.
        pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _begin)
        self._pools.add(pool)
        return pool

    def _keep(self, pool: ProcessPoolExecutor, done: "Future[Ending]") -> None:
        if not done.cancelled() and isinstance(done.exception(), BrokenProcessPool):
            self._pools.discard(pool)
        else:
            self._idle.append(pool)


def _begin() -> None:
    """What each process does first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends them to the worker, too
    Thread(target=_end_with, args=(multiprocessing.parent_process(),), daemon=True).start()


def _end_with(worker: multiprocessing.process.BaseProcess) -> None:
    """A worker that is killed cannot end them: others get its jobs, and what is done here is for nobody."""
    worker.join()
    os._exit(1)


def _do(call: JobFunction, arguments: tuple[object, ...], held: Held) -> Ending:
    return ending(held, lambda: call(*arguments))
