"""Handing jobs to those who wait for one: in the very turn in which it comes."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final

from jobengine.engine.clock import Clock
from jobengine.engine.waiters import Claimer, Claimers, Claims, queues_of
from jobengine.errors import JobEngineError
from jobengine.model import changes
from jobengine.model.changes import Change
from jobengine.model.commands import Command, Release, Settle
from jobengine.model.job import Job
from jobengine.model.ledger import Ledger

# Decides a command and stores what it changes, at once: its answer, and what to wait for until it is on disk.
Doing = Callable[[Command], tuple[object, Awaitable[object] | None]]

_NOTHING: Final[tuple[Job, ...]] = ()


class HandingOut:
    """Knows who waits for jobs, and gives each what comes, first come first served."""

    def __init__(self, ledger: Ledger, clock: Clock, do: Doing) -> None:
        self._ledger = ledger
        self._clock = clock
        self._do = do
        self._claimers = Claimers()
        self.awaited = self._claimers.by_queue  # the queues on which somebody waits; to be read only
        self._is_serving = False
        self._alarm: asyncio.TimerHandle | None = None

    async def wait(self, command: Claims, seconds: float, may_claim: Callable[[], object]) -> tuple[Job, ...]:
        """The jobs that come within this time, durably claimed; none when none comes.

        `may_claim` is asked when there is a job, and may raise what the caller is told instead. Who is
        cancelled gives back what it was handed, no attempt was made, and goes when that is on disk: a caller
        who is told that nothing was done may believe it.
        """
        loop = asyncio.get_running_loop()
        claimer = Claimer(command, may_claim, loop.create_future())
        end = loop.call_later(seconds, _end, claimer)
        self._claimers.add(claimer)
        self.serve(queues_of(command))  # something may have come while nobody looked
        try:
            jobs, stored = await claimer.handed
            if stored is not None:
                await stored
        except asyncio.CancelledError:
            await self._take_back(claimer)
            raise
        finally:
            end.cancel()
            self._claimers.remove(claimer)
        return jobs

    def note(self, changes: Sequence[Change]) -> None:
        """These changes were just made: perhaps somebody has waited for one of them."""
        waiting = self._claimers.queues()
        touched = dict.fromkeys(name for change in changes if (name := _queue_of(change)) is not None)
        self.serve([name for name in waiting if name in touched])

    def serve(self, queues: Iterable[str]) -> None:
        """Hand out what these queues have to those who wait."""
        if self._is_serving:
            return  # what a claim changes makes nothing ready
        self._is_serving = True
        try:
            for queue in queues:
                self._serve(queue)
        finally:
            self._is_serving = False

    def _serve(self, queue: str) -> None:
        while (claimer := self._claimers.first(queue)) is not None:
            if not claimer.handed.done() and not self._hand(claimer, queue):
                break
            self._claimers.remove(claimer)
        else:
            return
        self._set_alarm(queue)

    def _hand(self, claimer: Claimer, queue: str) -> bool:
        """Whether it waits no more."""
        try:
            if not self._has_ready(queue):
                return False
            claimer.may_claim()
            jobs, stored = self._do(claimer.command)
        except JobEngineError as refusal:
            claimer.handed.set_exception(refusal)
            return True
        if not jobs or not isinstance(jobs, tuple):
            return False
        claimer.handed.set_result((jobs, stored))
        return True

    def _has_ready(self, queue: str) -> bool:
        """Raises NotFound."""
        order, now = self._ledger.contents(queue).order, self._clock.now()
        if order.let_go(now) and order.skip_overdue(now):
            return order.first_ready(now) is not None
        asyncio.get_running_loop().call_soon(self.serve, (queue,))  # very many are due: in turns
        return False

    def _set_alarm(self, queue: str) -> None:
        """Look again when the next job that waits for a time may be handed out."""
        contents = self._ledger.find(queue)
        time = None if contents is None else contents.order.next_time
        if time is None:
            return
        loop = asyncio.get_running_loop()
        when = loop.time() + max(time - self._clock.now(), 0) / 1000 + 0.001
        if self._alarm is not None and self._alarm.when() > when:
            self._alarm.cancel()
            self._alarm = None
        if self._alarm is None:
            self._alarm = loop.call_at(when, self._ring)

    def serve_all(self) -> None:
        """Look at all queues on which somebody waits."""
        self.serve(self._claimers.queues())

    def stop(self) -> None:
        """Nothing more is handed out: whoever waits is told so at once."""
        for claimers in self.awaited.values():
            for claimer in claimers:
                _end(claimer)

    def _ring(self) -> None:
        self._alarm = None
        self.serve_all()

    async def _take_back(self, claimer: Claimer) -> None:
        """Whoever waited goes: what it was handed is queued again, at once, in its old place."""
        handed = claimer.handed
        if not handed.done() or handed.cancelled() or handed.exception() is not None:
            return
        jobs, _ = handed.result()
        given_back: list[Awaitable[object]] = []
        for queue in dict.fromkeys(job.queue for job in jobs):
            mine = tuple(Release(job.uid, job.lease, is_unseen=True) for job in jobs if job.queue == queue)
            with suppress(JobEngineError):  # then the lease decides
                _, stored = self._do(Settle(queue, mine))
                if stored is not None:
                    given_back.append(stored)
        await asyncio.gather(*given_back, return_exceptions=True)


def _end(claimer: Claimer) -> None:
    if not claimer.handed.done():
        claimer.handed.set_result((_NOTHING, None))


def _queue_of(change: Change) -> str | None:
    match change:
        case changes.PutJob(job):
            return job.queue
        case changes.MoveJob(queue=queue) | changes.AlterJob(changes.MoveJob(queue=queue)):
            return queue
        case changes.PutQueue(queue):
            return queue.name
        case changes.DropQueue(name):
            return name  # whoever waits for its jobs is told so
        case _:
            return None
