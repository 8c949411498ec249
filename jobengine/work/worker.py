"""The loop of a worker: claim, run, renew, report."""

import asyncio
import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import structlog
from msgspec import Struct

from jobengine.errors import JobEngineError, LeaseLost, OutcomeUnknown, StorageFull, Unavailable
from jobengine.work.outcome import Broken, GivenBack, Halted, Outcome
from jobengine.work.runner import Runner
from jobengine.work.running import Running
from jobengine.work.slots import Slots
from jobengine.work.source import Asked, Claimed, Source

RENEWALS: Final = 3  # within the time of a lease: two of them may be lost
HEARD_AFTER_SECONDS: Final = 0.2  # most jobs end sooner: nobody waits for what might be wanted of them
WAIT_SECONDS: Final = 30.0  # for a job
GLANCE_SECONDS: Final = 0.05  # for the next one, where there was one just now
# After a refusal; about so long, so that workers do not come back all at once.
FIRST_PAUSE_SECONDS: Final = 0.1
PAUSE_SECONDS: Final = 2.0  # in the end
FOR_NOW: Final = (Unavailable, OutcomeUnknown, StorageFull)  # it may be otherwise soon

log = structlog.get_logger(__name__)


MakeRunner = Callable[[Claimed, int], Runner]  # for a job, on a slot from 1 on; raises Refused


class Lane(Struct, frozen=True):
    """One queue that is worked on."""

    queue: str
    slots: int  # jobs at once
    timeout_seconds: float  # of a job that names none
    stop_seconds: float  # that the stop of a job takes at most
    make: MakeRunner


class Worker:
    """Runs the jobs of some queues."""

    def __init__(self, source: Source) -> None:
        """It runs nothing until it is told what to take up."""
        self._source = source
        self._lanes: dict[str, Lane] = {}
        self._drain_seconds = 0.0
        self._running: dict[asyncio.Task[None], Running] = {}
        self._returning: set[asyncio.Task[None]] = set()  # that came when there was no room for them any more
        self._slots = Slots()  # of what ended just now, it may still be told how
        self._refusals = 0  # one after the other, of claims
        self._full: frozenset[str] = frozenset()  # the queues that the claim under way leaves out
        self._stopping = asyncio.Event()
        self._has_room = asyncio.Event()  # for what the claim under way does not ask for

    @property
    def running(self) -> int:
        """How many jobs it runs now."""
        return len(self._running)

    @property
    def stop_seconds(self) -> float:
        """How long its stop may take: nothing when nothing runs."""
        runs = self._running.values()
        return self._drain_seconds + max(run.stop_seconds for run in runs) if runs else 0.0

    def take_up(self, lanes: Sequence[Lane], *, slots: int = 0, drain_seconds: float) -> None:
        """Claim jobs of these queues from now on, and of no others; what runs ends as it was begun.

        `slots` is how many jobs it runs at once, of all queues; 0 is no limit but theirs.
        """
        self._lanes = {lane.queue: lane for lane in lanes}
        self._slots.allow({lane.queue: lane.slots for lane in lanes}, most=slots)
        self._drain_seconds = drain_seconds
        self._has_room.set()

    def stop(self) -> None:
        """Claim no more; what runs has `drain_seconds` to end."""
        self._stopping.set()

    async def run(self) -> None:
        """Until it is to end, and all is done or given back. Raises what refuses it for good."""
        renewing = asyncio.create_task(self._renew_for_ever())
        claiming = asyncio.create_task(self._claim_and_begin())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((claiming, renewing, stopping), return_when=asyncio.FIRST_COMPLETED)
            for task in (claiming, renewing):
                if task.done():
                    await task
        finally:
            await _end(claiming, stopping)
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
        free, slots = self._slots.free(), self._slots
        self._full = frozenset(self._lanes.keys() - free)
        reported = len(self._running) - slots.taken
        most = min(free.values(), default=0)
        return tuple(free), min(most, slots.most - slots.taken, slots.width - reported)

    async def _claim(self, queues: Sequence[str], most: int, wait: float) -> bool:
        """Whether there were some. They begin in the step that brings them: who is cancelled holds none."""
        try:
            jobs = await self._source.claim(queues, most=most, wait=wait)
        except FOR_NOW as refusal:
            if not self._refusals:  # it is said once that the broker is away, and once that it is back
                log.warning("no_jobs_for_now", reason=refusal.detail)
            pause = min(FIRST_PAUSE_SECONDS * 2**self._refusals, PAUSE_SECONDS)
            self._refusals = min(self._refusals + 1, 10)
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
            return False
        if self._refusals:
            log.info("jobs_again")
            self._refusals = 0
        for job in jobs:
            if self._slots.fits(job.queue):
                self._begin(job)
            else:
                self._return(job)
        return bool(jobs)

    def _return(self, job: Claimed) -> None:
        """It was claimed when there was room for it."""
        outcome = Halted(job.saved) if job.asked is Asked.STOP else GivenBack()  # the next one is to end it
        returning = asyncio.create_task(self._settle(job, outcome))
        self._returning.add(returning)
        returning.add_done_callback(self._returning.discard)

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
        slot = self._slots.take(job.queue)
        make = partial(lane.make, job, slot)
        running = Running(job, make, self._source, timeout_seconds=seconds, stop_seconds=lane.stop_seconds)
        task = asyncio.create_task(self._see_to_its_end(running, slot))
        self._running[task] = running
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        if len(self._running) - self._slots.taken >= self._slots.width:
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
            self._give_back_slot(running.job.queue, slot)
        if outcome is not None:
            await self._settle(running.job, outcome)

    def _give_back_slot(self, queue: str, slot: int) -> None:
        was_full = queue in self._full or self._slots.taken >= self._slots.most
        self._slots.give_back(queue, slot)
        if was_full:
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

    async def _drain(self) -> None:
        """Let what runs end, or give it back."""
        if self._running:
            await asyncio.wait(self._running, timeout=self._drain_seconds)
        for running in self._running.values():
            running.give_back()
        if ending := (*self._running, *self._returning):
            await asyncio.wait(ending)


async def _end(*tasks: "asyncio.Task[Any]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
