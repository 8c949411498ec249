"""The loop of a worker: claim, run, renew, report."""

import asyncio
import random
from collections.abc import Callable, Sequence
from functools import partial
from heapq import heappop, heappush
from typing import Any, Final

import structlog
from msgspec import Struct

from jobengine.errors import JobEngineError, LeaseLost, OutcomeUnknown, StorageFull, Unavailable
from jobengine.work.outcome import Broken, Outcome
from jobengine.work.runner import Runner
from jobengine.work.running import Running
from jobengine.work.source import Claimed, Source

RENEWALS: Final = 3  # within the time of a lease: two of them may be lost
HEARD_AFTER_SECONDS: Final = 0.2  # most jobs end sooner: nobody waits for what might be wanted of them
WAIT_SECONDS: Final = 30.0  # for a job
GLANCE_SECONDS: Final = 0.05  # for the next one, where there was one just now
PAUSE_SECONDS: Final = 2.0  # after a refusal; about so long, so that workers do not come back all at once
FOR_NOW: Final = (Unavailable, OutcomeUnknown, StorageFull)  # it may be otherwise soon

log = structlog.get_logger(__name__)


MakeRunner = Callable[[Claimed, int], Runner]  # for a job, on a slot from 1 on; raises Refused


class Lane(Struct, frozen=True):
    """One queue that is worked on."""

    queue: str
    slots: int  # jobs at once
    timeout_seconds: float  # of a job that names none
    make: MakeRunner


class Worker:
    """Runs the jobs of some queues."""

    def __init__(
        self, source: Source, lanes: Sequence[Lane], *, slots: int = 0, drain_seconds: float
    ) -> None:
        """`slots` is how many jobs it runs at once, of all queues; 0 is no limit but theirs."""
        self._source = source
        self._lanes = {lane.queue: lane for lane in lanes}
        self._slots = slots or sum(lane.slots for lane in lanes)
        self._drain_seconds = drain_seconds
        self._running: dict[asyncio.Task[None], Running] = {}
        self._busy = 0  # slots; of what ended just now, it may still be told how
        self._free = {lane.queue: list(range(1, lane.slots + 1)) for lane in lanes}  # the least first
        self._full: frozenset[str] = frozenset()  # the queues that the claim under way leaves out
        self._retiring = asyncio.Event()
        self._stopping = asyncio.Event()
        self._has_room = asyncio.Event()  # for what the claim under way does not ask for

    @property
    def running(self) -> int:
        """How many jobs it runs now."""
        return len(self._running)

    def retire(self) -> None:
        """Claim no more; what runs has all the time that it takes."""
        self._retiring.set()

    def stop(self) -> None:
        """Claim no more; what runs has `drain_seconds` to end."""
        self._retiring.set()
        self._stopping.set()

    async def run(self) -> None:
        """Until it is to end, and all is done or given back. Raises what refuses it for good."""
        renewing = asyncio.create_task(self._renew_for_ever())
        claiming = asyncio.create_task(self._claim_and_begin())
        retiring = asyncio.create_task(self._retiring.wait())
        try:
            await asyncio.wait((claiming, renewing, retiring), return_when=asyncio.FIRST_COMPLETED)
            for task in (claiming, renewing):
                if task.done():
                    await task
        finally:
            await _end(claiming, retiring)
            if self._retiring.is_set():
                await self._last_jobs(renewing)
            await self._drain()
            await _end(renewing)
            await self._source.close()

    # --- claiming ---

    async def _claim_and_begin(self) -> None:
        """For ever. Cancelled, it holds no more than what it has begun."""
        while True:
            self._has_room.clear()
            queues, most = self._room()
            if most <= 0:
                await self._has_room.wait()
                continue
            if not await self._claim(queues, most, GLANCE_SECONDS):
                await self._wait_for_jobs(queues, most)

    def _room(self) -> tuple[Sequence[str], int]:
        """The queues with free slots, and how many jobs to ask for: no more than are not reported yet."""
        free = {queue: len(slots) for queue, slots in self._free.items() if slots}
        self._full = frozenset(self._free.keys() - free)
        reported = len(self._running) - self._busy
        most = min(free.values(), default=0)
        return tuple(free), min(most, self._slots - self._busy, self._slots - reported)

    async def _claim(self, queues: Sequence[str], most: int, wait: float) -> bool:
        """Whether there were some. They begin in the step that brings them: who is cancelled holds none."""
        try:
            jobs = await self._source.claim(queues, most=most, wait=wait)
        except FOR_NOW as refusal:
            log.warning("no_jobs_for_now", reason=refusal.detail)
            await asyncio.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
            return False
        for job in jobs:
            self._begin(job)
        return bool(jobs)

    async def _wait_for_jobs(self, queues: Sequence[str], most: int) -> None:
        """One claim. It is called back when it should ask for more."""
        claiming = asyncio.ensure_future(self._claim(queues, most, WAIT_SECONDS))
        changed = asyncio.ensure_future(self._has_room.wait())
        try:
            await asyncio.wait((claiming, changed), return_when=asyncio.FIRST_COMPLETED)
            if claiming.done():
                await claiming
        finally:
            await _end(claiming, changed)

    # --- running ---

    def _begin(self, job: Claimed) -> None:
        lane = self._lanes[job.queue]
        seconds = min(lane.timeout_seconds, job.timeout / 1000) if job.timeout else lane.timeout_seconds
        slot = heappop(self._free[job.queue])
        self._busy += 1
        running = Running(job, partial(lane.make, job, slot), self._source, timeout_seconds=seconds)
        task = asyncio.create_task(self._see_to_its_end(running, slot))
        self._running[task] = running
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        if len(self._running) - self._busy == self._slots:
            self._has_room.set()
        del self._running[task]

    async def _see_to_its_end(self, running: Running, slot: int) -> None:
        listening = asyncio.get_running_loop().call_later(HEARD_AFTER_SECONDS, running.listen, self._renew)
        try:
            outcome = await running.run()
        except Exception:
            log.exception("run_failed", queue=running.job.queue, uid=running.job.uid)
            outcome = Broken("internal", "the worker could not run it; its log says why")
        finally:
            listening.cancel()
            running.listen_no_more()
            self._free_slot(running.job.queue, slot)
        if outcome is not None:
            await self._settle(running.job, outcome)

    def _free_slot(self, queue: str, slot: int) -> None:
        heappush(self._free[queue], slot)
        self._busy -= 1
        if queue in self._full or self._busy + 1 == self._slots:
            self._has_room.set()

    async def _settle(self, job: Claimed, outcome: Outcome) -> None:
        """Tell how it ended, for as long as it may still be held."""
        end = asyncio.get_running_loop().time() + self._source.lease_seconds
        while True:
            try:
                return await self._source.settle(job, outcome)
            except LeaseLost:
                log.warning("lease_lost", queue=job.queue, uid=job.uid)
                return None
            except FOR_NOW as refusal:
                if asyncio.get_running_loop().time() > end:
                    log.error("not_reported", queue=job.queue, uid=job.uid, reason=refusal.detail)
                    return None
                await asyncio.sleep(PAUSE_SECONDS * random.uniform(0.1, 1))  # noqa: S311 - no secret
            except JobEngineError as refusal:
                log.warning("not_reported", queue=job.queue, uid=job.uid, reason=refusal.detail)
                return None

    # --- leases ---

    async def _renew_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._source.lease_seconds / RENEWALS)
            try:
                await self._renew(tuple(self._running.values()))
            except JobEngineError as refusal:  # the next one may be answered
                log.warning("not_renewed", reason=refusal.detail)

    async def _renew(self, runs: Sequence[Running]) -> None:
        if runs:
            for running, asked in zip(runs, await self._source.renew([run.job for run in runs]), strict=True):
                running.ask(asked)

    # --- the end ---

    async def _last_jobs(self, renewing: "asyncio.Task[None]") -> None:
        """Until all have ended, or it is told to stop, or cannot hold them any more."""
        stopping = asyncio.create_task(self._stopping.wait())
        while self._running and not stopping.done() and not renewing.done():
            await asyncio.wait((*self._running, stopping, renewing), return_when=asyncio.FIRST_COMPLETED)
        await _end(stopping)

    async def _drain(self) -> None:
        """Let what runs end, or give it back."""
        if self._running:
            await asyncio.wait(self._running, timeout=self._drain_seconds)
        for running in self._running.values():
            running.give_back()
        if self._running:
            await asyncio.wait(self._running)


async def _end(*tasks: "asyncio.Task[Any]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
