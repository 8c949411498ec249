"""Group commit: many callers, one write, one sync. Knows batches and futures, nothing of jobs or ciphers."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue
from threading import Thread
from time import perf_counter
from typing import Final

from jobengine.errors import (
    Fatal,
    InputOutputFailed,
    JobEngineError,
    OutcomeUnknown,
    StorageFull,
    Unavailable,
)
from jobengine.journal.batch import Batch, Errand, Run, Waiter, answer, failed, refuse
from jobengine.journal.stall import Stall
from jobengine.journal.successor import Successor
from jobengine.model.changes import Change

MOST_BYTES: Final = 4 * 1024 * 1024
# In the first an answer is written; in the next ones its client's next request is read, begun and decided.
# That doubles the changes that share a write, which under load costs more than the few turns do.
GATHER_TURNS: Final = 4

_UNKNOWN: Final = "writing failed, and nobody knows whether the change survives; ask again after the restart"


class GroupCommit:
    """Gathers while a write is under way, then writes all of it at once.

    Everything but the runs happens on the event loop, so nothing is locked. A run happens on the writer
    thread, and the next one is not prepared before it has returned.
    """

    def __init__(
        self,
        *,
        prepare: Callable[[Batch], Run],
        on_rollback: Callable[[int], object],
        on_failure: Callable[[Fatal], object],
        observe: Callable[[int, float], object],
    ) -> None:
        self._prepare = prepare
        self._on_rollback = on_rollback
        self._on_failure = on_failure
        self._observe = observe
        self._loop = asyncio.get_running_loop()
        self._gathering: deque[Batch] = deque()
        self._errands: deque[Errand] = deque()
        self._under_way: Batch | Errand | None = None
        self._awake = False
        self._refusal: JobEngineError | None = None
        self._idle: asyncio.Future[None] | None = None
        self._stall = Stall(self._loop, on_hung=self._leave_waiters)
        self._runs: SimpleQueue[tuple[Batch | Errand, Run] | None] = SimpleQueue()
        self._thread = Thread(target=self._run_all, name="journal", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raises what `append` would fail with at once."""
        if (refusal := self._refusal or self._stall.refusal) is not None:
            raise type(refusal)(refusal.detail)

    def append(
        self,
        changes: Sequence[Change],
        size: int,
        *,
        copies: Sequence[Change] = (),
        successor: Successor | None = None,
    ) -> Waiter:
        """Take a place in the order; the future is done when it is on disk. `size` is about their bytes.

        It fails with StorageFull when this and all that came after it is undone, or with OutcomeUnknown.
        """
        waiter = self._loop.create_future()
        if (refusal := self._refusal or self._stall.refusal) is not None:
            return failed(waiter, refusal)
        if not self._gathering or self._gathering[-1].size + size > MOST_BYTES:
            self._gathering.append(Batch())
        batch = self._gathering[-1]
        batch.add(changes, size, waiter)
        if successor is not None or batch.successor is not None:
            batch.copy(copies, successor)
        self._wake()
        return waiter

    @property
    def stalled(self) -> str | None:
        """Why nothing is taken now: the disk has not answered for long. None when it does."""
        return None if self._stall.refusal is None else self._stall.refusal.detail

    @property
    def is_writing(self) -> bool:
        """Whether the thread has something to do."""
        return self._under_way is not None or bool(self._gathering or self._errands)

    @property
    def in_flight(self) -> int:
        """How many appends are not on disk yet."""
        under_way = self._under_way.appends if isinstance(self._under_way, Batch) else 0
        return under_way + sum(batch.appends for batch in self._gathering)

    def barrier(self) -> Waiter | None:
        """Done when all that was appended is on disk; None when it is. Fails as `append` does."""
        last = self._gathering[-1] if self._gathering else self._under_way
        if isinstance(last, Batch):
            if self._stall.is_hung and self._stall.refusal is not None:
                return failed(self._loop.create_future(), self._stall.refusal)
            last.waiters.append(self._loop.create_future())
            return last.waiters[-1]
        if self._refusal is not None:
            return failed(self._loop.create_future(), self._refusal)
        return None

    def follow(self, changes: Sequence[Change], successor: Successor) -> Waiter | None:
        """Give these to the successor behind all that was appended; wait for what is returned."""
        if not self._gathering:
            successor.take(changes)
            return None
        self._gathering[-1].copy(changes, successor)
        return self.barrier()

    def alone(self, prepare: Callable[[], Run], *, is_patient: bool = True) -> Waiter:
        """Run something between two batches; the future is done when it has returned.

        Who is not patient is told OutcomeUnknown when the disk hangs.
        """
        waiter = self._loop.create_future()
        if (refusal := self._refusal or self._stall.refusal) is not None:
            return failed(waiter, refusal)
        self._errands.append(Errand(prepare, waiter, is_patient=is_patient))
        self._wake()
        return waiter

    async def close(self) -> None:
        """Finish what was appended, take no more, end the thread."""
        while self._under_way is not None or self._gathering or self._errands:
            self._idle = self._loop.create_future()
            await self._idle
        self._refusal = self._refusal or Unavailable("the journal is closed")
        self._stall.close()
        self._runs.put(None)
        self._thread.join()

    def _wake(self) -> None:
        """Hand over at the end of this turn, so that all who ask in it share one write."""
        if self._under_way is None and not self._awake:
            self._awake = True
            self._loop.call_soon(self._hand_over)

    def _hand_over(self, *, errands_first: bool = True) -> None:
        """Give the next write to the thread."""
        self._awake = False
        if self._under_way is not None:
            return
        if self._errands and (errands_first or not self._gathering):
            errand = self._errands.popleft()
            self._give(errand, errand.prepare)
        elif self._gathering:
            batch = self._gathering.popleft()
            self._give(batch, partial(self._prepare, batch))
        elif self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    def _give(self, work: Batch | Errand, prepare: Callable[[], Run]) -> None:
        self._under_way = work
        try:
            run = prepare()
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody may wait for ever
            self._under_way = None
            self._stop_for_good(InputOutputFailed(f"a write could not be prepared: {error!r}"), work)
            if self._idle is not None and not self._idle.done():
                self._idle.set_result(None)
        else:
            self._stall.begin()
            self._runs.put((work, run))

    def _settle(self, written: Batch | Errand, outcome: JobEngineError | None, seconds: float) -> None:
        """The thread has finished what was under way."""
        self._stall.end()
        self._under_way = None
        match outcome:
            case None:
                answer(written)
                if isinstance(written, Batch):
                    self._observe(len(written.changes), seconds)
            case StorageFull() if isinstance(written, Batch):
                self._roll_back(outcome, written)
            case Fatal():
                self._stop_for_good(outcome, written)
            case _:
                refuse(written, outcome)
        was_shared = isinstance(written, Batch) and written.appends > 1
        self._awake = True
        self._gather(GATHER_TURNS if was_shared else 0, errands_first=isinstance(written, Batch))

    def _gather(self, turns: int, *, errands_first: bool) -> None:
        """Give those who were just answered so many turns of the loop to ask again, then hand over."""
        if turns:
            self._loop.call_soon(partial(self._gather, turns - 1, errands_first=errands_first))
        else:
            self._hand_over(errands_first=errands_first)

    def _roll_back(self, error: StorageFull, batch: Batch) -> None:
        """What was decided on top of a change that did not come to be goes with it."""
        undone = [batch, *self._gathering]
        self._gathering.clear()
        self._on_rollback(sum(one.appends for one in undone))
        for one in undone:
            refuse(one, error)

    def _leave_waiters(self, unknown: OutcomeUnknown) -> None:
        """The disk hangs. What they asked for stays in its place, and is there if the write ever returns."""
        for one in (self._under_way, *self._gathering, *self._errands):
            if isinstance(one, Batch) or (one is not None and not one.is_patient):
                refuse(one, unknown)

    def _stop_for_good(self, failure: Fatal, written: Batch | Errand) -> None:
        """Nobody knows what the disk holds."""
        self._refusal = OutcomeUnknown(_UNKNOWN)
        for one in (written, *self._gathering, *self._errands):
            refuse(one, self._refusal)
        self._gathering.clear()
        self._errands.clear()
        self._on_failure(failure)

    def _run_all(self) -> None:
        """The writer thread."""
        while (work := self._runs.get()) is not None:
            written, run = work
            started = perf_counter()
            outcome = _outcome(run)
            self._loop.call_soon_threadsafe(self._settle, written, outcome, perf_counter() - started)


def _outcome(run: Run) -> JobEngineError | None:
    try:
        run()
    except JobEngineError as error:
        return error
    except BaseException as error:  # noqa: BLE001 - a thread that ends in silence leaves everyone waiting
        return InputOutputFailed(f"writing the database file failed: {type(error).__name__}")
    return None
