"""Jobs that are being done."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from typing import assert_never

from jobengine.client.settlements import Failed, Released
from jobengine.client.worker.current import CurrentJob
from jobengine.client.worker.endings import Ending, awaited_ending, ending, ending_by
from jobengine.client.worker.functions import Function, Where
from jobengine.client.worker.loop import InLoop
from jobengine.client.worker.processes import Processes
from jobengine.client.worker.threads import Threads


class Doing:
    """One job, on its way through its function."""

    def __init__(self, current: CurrentJob, done: "Future[Ending]", cancel: Callable[[], object]) -> None:
        self.current = current
        self._done = done
        self._cancel = cancel

    def end(self) -> None:
        """An asynchronous function is cancelled, once. Others can look, and end by themselves."""
        if not self.current.is_to_end:
            self.current.is_to_end = True
            self._cancel()

    def lose(self) -> None:
        """The job is somebody else's."""
        self.current.is_lost = True
        self.end()

    async def ended(self) -> Ending:
        """How the function has ended."""
        held = self.current.held
        try:
            return await asyncio.wrap_future(self._done)
        except asyncio.CancelledError as error:
            if not self._done.done():
                raise  # it is not the function that was cancelled
            return Released(held) if self.current.is_to_end else ending_by(held, error)
        except BrokenProcessPool:
            return Failed(held, "the process that did it has died", "ProcessDied")
        except BaseException as error:  # noqa: BLE001  # a function that cannot be sent to a process, say
            return ending_by(held, error)


class Crew:
    """Those who do jobs: threads, processes, and the event loop of whoever serves."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, most: int) -> None:
        self._loop = loop
        self._threads = Threads(most)
        self._processes = Processes()

    def begin(self, function: Function, current: CurrentJob) -> Doing:
        """Let the function do the job."""
        arguments = (current.content, current) if function.takes_job else (current.content,)

        def call() -> object:
            return function.call(*arguments)

        match function.where:
            case Where.LOOP:
                task = InLoop(self._loop, awaited_ending(current.held, call))  # type: ignore[arg-type]
                return Doing(current, task.done, task.cancel)
            case Where.THREAD:
                return Doing(current, self._threads.begin(lambda: ending(current.held, call)), _not_at_all)
            case Where.PROCESS:
                done = self._processes.begin(function, current.job, current.held)
                return Doing(current, done, _not_at_all)
            case _:
                assert_never(function.where)

    def stop(self) -> None:
        """Begin nothing more, and wait for nothing."""
        self._threads.stop()
        self._processes.stop()


def _not_at_all() -> None:
    """Nobody can end a thread, or a process that shares a pool, from outside."""
