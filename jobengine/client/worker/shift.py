"""One run of a worker, from its first claim to its last report."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from msgspec import Struct

from jobengine.client.address import Address
from jobengine.client.async_client import AsyncClient
from jobengine.client.job import Asked, Job, held
from jobengine.client.results import Settled
from jobengine.client.settlements import Progressed, Released, Settlement
from jobengine.client.worker.current import CurrentJob
from jobengine.client.worker.doing import Crew, Doing
from jobengine.client.worker.functions import Function
from jobengine.client.worker.leases import LOST, Leases
from jobengine.client.worker.reports import FOR_NOW, Reports, pause_seconds
from jobengine.errors import JobEngineError

POLL_SECONDS: Final = 30.0
CLAIM_MOST: Final = 1000  # jobs that the broker gives at once
LAST_CLAIM_SECONDS: Final = 0.5  # for the answer to a claim that is under way when the worker stops
LAST_CANCEL_SECONDS: Final = 1.0  # for what asynchronous functions do when they are cancelled
LAST_REPORT_SECONDS: Final = 5.0

log = logging.getLogger("jobengine.worker")


class Plan(Struct, frozen=True):
    """What a worker is to do, and how."""

    functions: Mapping[str, Function]  # by queue
    address: Address
    worker: str  # what others see of it
    concurrency: int
    lease_seconds: float
    drain_seconds: float
    until_empty: bool


class Shift:
    """Claims, lets do, renews, reports. Lives in an event loop of its own, which no job can hold up."""

    def __init__(self, plan: Plan, functions_loop: asyncio.AbstractEventLoop) -> None:
        self._plan = plan
        self._loop = asyncio.get_running_loop()
        self._crew = Crew(functions_loop, most=plan.concurrency)
        address = plan.address
        self._client = AsyncClient(
            address.url,
            name=address.name,
            ca=address.ca,
            cert=address.cert,
            key=address.key,
            retry_seconds=0,  # what is to be told next goes with what could not be told
        )
        self._reports = Reports(self._client, on_answer=self._hear)
        self._leases = Leases(seconds=plan.lease_seconds, report=self._reports.add)
        self._doing: dict[asyncio.Task[None], Doing] = {}
        self._one_has_ended = asyncio.Event()
        self._stopping = asyncio.Event()
        self._out_of_time = asyncio.Event()  # for what is being done when the worker stops
        self._is_away = False

    def stop(self, *, drain_seconds: float | None = None) -> None:
        """Claim no more, from any thread. What is being done has this long, or as long as planned."""
        with suppress(RuntimeError):  # it has just come to its end
            self._loop.call_soon_threadsafe(self._stop, drain_seconds)

    def _stop(self, drain_seconds: float | None) -> None:
        seconds = self._plan.drain_seconds if drain_seconds is None else drain_seconds
        self._loop.call_later(seconds, self._out_of_time.set)
        self._stopping.set()
        self._one_has_ended.set()

    async def work(self) -> None:
        """Until it is told to stop. Raises what refuses the worker for good: no right on a queue, say."""
        background = [asyncio.create_task(each) for each in (self._reports.run(), self._leases.run())]
        for task in background:
            task.add_done_callback(self._end_without)
        try:
            await self._claim_and_do()
        finally:
            await self._drain()
            for task in background:
                task.cancel()
            failures = await asyncio.gather(*background, return_exceptions=True)
            self._crew.stop()
            await self._client.close()
        for failure in failures:
            if not isinstance(failure, asyncio.CancelledError | None):
                raise failure

    def _end_without(self, task: "asyncio.Task[None]") -> None:
        """Without its reports, or its leases, a worker is of no use: whoever runs it is told why."""
        if not task.cancelled():
            self._stop(drain_seconds=0)

    # --- claiming ---

    async def _claim_and_do(self) -> None:
        while not self._stopping.is_set():
            self._one_has_ended.clear()
            if len(self._doing) >= self._plan.concurrency:
                await self._one_has_ended.wait()
                continue
            was_idle = self._is_idle  # what ends while it is asked may be queued again, behind the answer
            jobs = await self._claim(min(self._plan.concurrency - len(self._doing), CLAIM_MOST))
            self._begin_all(jobs)
            if not jobs and self._plan.until_empty:
                if was_idle:
                    return
                await self._one_may_be_queued()

    async def _claim(self, most: int) -> list[Job]:
        """Raises what refuses the worker for good."""
        claiming = asyncio.create_task(self._ask(most))
        try:
            await _either(claiming, self._stopping)
            if not claiming.done():
                # Its answer may be on its way: cut now, those jobs would wait for the end of their leases.
                await asyncio.wait((claiming,), timeout=LAST_CLAIM_SECONDS)
            jobs = claiming.result() if claiming.done() else []
            self._note_broker(None)
            return jobs
        except FOR_NOW as error:
            if self._plan.until_empty:
                raise
            self._note_broker(error)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_seconds()):
                    await self._stopping.wait()
            return []
        except JobEngineError as error:
            queues = ", ".join(self._plan.functions)
            error.add_note(f"as {self._plan.address.name} claimed jobs of {queues}")
            raise
        finally:
            claiming.cancel()
            await asyncio.gather(claiming, return_exceptions=True)

    def _note_broker(self, failure: JobEngineError | None) -> None:
        """Say once that it is away, and once that it is back."""
        if failure is not None and not self._is_away:
            log.warning("no jobs for now, and it is tried again: %s", failure)
        elif failure is None and self._is_away:
            log.warning("the broker is there again")
        self._is_away = failure is not None

    async def _ask(self, most: int) -> list[Job]:
        weights = {queue: function.weight for queue, function in self._plan.functions.items()}
        return await self._client.claim(
            next(iter(weights)) if len(weights) == 1 else weights,
            most,
            wait=0 if self._plan.until_empty else POLL_SECONDS,
            lease=self._plan.lease_seconds,
            worker=self._plan.worker,
        )

    @property
    def _is_idle(self) -> bool:
        """Whether nothing can come of what was begun."""
        return not self._doing and self._reports.is_idle

    async def _one_may_be_queued(self) -> None:
        """Wait until something can have come of what was begun."""
        if self._doing:
            await self._one_has_ended.wait()
            return
        telling = asyncio.create_task(self._reports.all_sent())
        await _either(telling, self._stopping)
        telling.cancel()

    # --- doing ---

    def _begin_all(self, jobs: list[Job]) -> None:
        """Raises what the system says when it gives no more threads or processes: then the rest goes back."""
        begun = 0
        try:
            for job in jobs:
                self._begin(job)
                begun += 1
        finally:
            for job in jobs[begun:]:
                self._reports.add(Released(held(job)))

    def _begin(self, job: Job) -> None:
        current = CurrentJob(job, self._report_from_anywhere)
        if self._stopping.is_set() or job.control is Asked.STOP:  # nothing that a function had begun is left
            self._reports.add(Released(current.held))
            return
        doing = self._crew.begin(self._plan.functions[job.queue], current)
        self._leases.add(doing)
        task = asyncio.create_task(self._see_to_its_end(doing))
        self._doing[task] = doing
        task.add_done_callback(self._forget)

    async def _see_to_its_end(self, doing: Doing) -> None:
        ending = await doing.ended()
        self._leases.remove(doing)
        if not doing.current.is_lost:
            self._reports.add(ending)

    def _forget(self, task: "asyncio.Task[None]") -> None:
        del self._doing[task]
        self._one_has_ended.set()

    def _report_from_anywhere(self, progress: Progressed) -> None:
        with suppress(RuntimeError):  # a function that outlives its worker
            self._loop.call_soon_threadsafe(self._reports.add, progress)

    def _hear(self, settlement: Settlement, answer: Settled) -> None:
        self._leases.heard(settlement, answer)
        is_late = isinstance(settlement, Progressed) and isinstance(answer.error, LOST)
        if answer.error is not None and not is_late:
            log.warning("%s of job %s: %s", settlement.verb, settlement.uid, answer.error)

    # --- stopping ---

    async def _drain(self) -> None:
        """Let what is being done end, or give it back, and tell the broker."""
        self._stop(drain_seconds=None)
        if self._doing:
            await _either(asyncio.gather(*self._doing, return_exceptions=True), self._out_of_time)
        left = dict(self._doing)
        for doing in left.values():
            doing.end()
        if left:
            await asyncio.wait(left, timeout=LAST_CANCEL_SECONDS)
        for task, doing in tuple(self._doing.items()):
            task.cancel()
            if not doing.current.is_lost:
                self._reports.add(Released(doing.current.held))
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_REPORT_SECONDS):
                await self._reports.all_sent()


async def _either(first: asyncio.Future[Any], event: asyncio.Event) -> None:
    """Wait until it is done, or that has come to pass."""
    waiting = asyncio.create_task(event.wait())
    await asyncio.wait((first, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
