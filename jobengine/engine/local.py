"""The engine of one machine: the ledger in memory, the journal on disk."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from msgspec.structs import replace

from jobengine.engine.big_values import big_values, has_big_values, placed
from jobengine.engine.clock import Clock
from jobengine.engine.compaction import Compaction
from jobengine.engine.growth import grows
from jobengine.engine.handing_out import HandingOut
from jobengine.engine.interface import Compacted
from jobengine.engine.looking import Looking
from jobengine.engine.waiters import Claims, queues_of
from jobengine.engine.way import Way
from jobengine.errors import Fatal, JobEngineError, NotFound, StorageFull, Unavailable
from jobengine.journal.journal import Journal
from jobengine.journal.scrub import Scrub
from jobengine.journal.summary import live_bytes
from jobengine.model.blob import Blob
from jobengine.model.changes import Change
from jobengine.model.commands import Answer, Claim, ClaimAny, Command, Configure, Settle
from jobengine.model.decision import Decision
from jobengine.model.job import Job
from jobengine.model.ledger import Ledger, Undo
from jobengine.model.rules import decide

_UNDOS_MOST: Final = 256  # that may be kept longer than they are needed


def _unobserved(_records: int, _seconds: float) -> None:
    """Nobody measures."""


def _unheard() -> None:
    """Nobody cares."""


def _refused(outcomes: tuple[object, ...]) -> dict[int, JobEngineError]:
    return {place: each for place, each in enumerate(outcomes) if isinstance(each, JobEngineError)}


def _nowhere(value: bytes) -> Blob:
    """Stands for a big value that is not in the file yet."""
    return Blob(len(value), b"", ())


class LocalEngine(Looking):
    """Decides in memory, stores in the journal, answers when it is stored.

    There is no await between deciding a command and its place in the journal: memory and disk see the same
    order, and the event loop is the lock.
    """

    def __init__(self, ledger: Ledger, journal: Journal, clock: Clock) -> None:
        super().__init__(ledger, journal, clock, Way(ledger, clock, self.submit))
        self._undos: deque[Undo] = deque()  # of the changes that are not on disk yet
        self._compaction: Compaction | None = None
        self._handing_out = HandingOut(ledger, clock, self._do)
        self._no_growth: str | None = None  # why nothing may be added
        self._on_full: Callable[[], object] = _unheard

    def start(
        self,
        *,
        on_failure: Callable[[Fatal], object],
        observe: Callable[[int, float], object] = _unobserved,
        on_full: Callable[[], object] = _unheard,
    ) -> None:
        """Begin to write. Called inside the event loop.

        `on_failure` is told when the disk has failed for good; `observe`, of each commit, its records and
        seconds; `on_full`, when the disk had no room for one.
        """
        self._on_full = on_full
        self._journal.start(
            now=self._clock.now, on_rollback=self._take_back, on_failure=on_failure, observe=observe
        )

    async def stop(self) -> None:
        """Make everything durable and seal the file."""
        self._is_stopping = True
        self._handing_out.stop()
        self._watchers.tell_all()
        await asyncio.sleep(0)  # so they look while the journal still answers
        if self._compaction is not None:
            self._compaction.give_up(Unavailable("the server stops; the old file stays in use"))
            await self._compaction.ended()
        await self._journal.close()

    async def submit(self, command: Command) -> Any:  # the answer's type is the command's: see Engine
        """Decide a command, make its changes durable, and answer."""
        if has_big_values(command):
            return await self._submit_big(command)
        while True:
            try:
                if not self._way.is_clear(command):
                    await self._way.make(command)
                decision = self._decide(command)
            except JobEngineError:
                if await self._what_was_seen_lasts():
                    raise
                continue
            if decision.changes:
                await self._store(decision.changes)
                if isinstance(command, Settle):
                    self._see_holders(decision.answer)  # type: ignore[arg-type]  # of a Settle
                if isinstance(command, Configure):
                    self._forget_undos()  # one of them may hold a whole queue
                return decision.answer
            if await self._what_was_seen_lasts():
                return decision.answer

    async def claim(
        self, command: Claim | ClaimAny, *, wait: float = 0, may_claim: Callable[[], object] = _unheard
    ) -> tuple[Job, ...]:
        """Claim jobs; when there are none, wait so many seconds for some.

        `may_claim` is asked again when there are some, and may raise what is to be told instead.
        """
        self._see(command)
        if wait <= 0:
            jobs: tuple[Job, ...] = await self.submit(command)
            return jobs
        try:
            return await self._wait_for_jobs(command, wait, may_claim)
        finally:
            self._see(command)

    async def _wait_for_jobs(
        self, command: Claims, wait: float, may_claim: Callable[[], object]
    ) -> tuple[Job, ...]:
        loop = asyncio.get_running_loop()
        end = loop.time() + wait
        while True:
            try:
                await self._way.make(command)
                if self._is_stopping:
                    raise Unavailable("the server stops")
                return await self._handing_out.wait(command, end - loop.time(), may_claim)
            except NotFound:
                if await self._what_was_seen_lasts():
                    raise

    def _see(self, command: Claims) -> None:
        if command.worker is not None:
            queues = [name for name in queues_of(command) if self._ledger.find(name) is not None]
            if queues:
                self._workers.see(command.claimer, command.worker, queues, self._clock.now())

    def _see_holders(self, outcomes: Sequence[object]) -> None:
        for job in outcomes:
            if isinstance(job, Job) and job.worker is not None and job.claimer is not None:
                self._workers.see(job.claimer, job.worker, (job.queue,), self._clock.now())

    async def _submit_big(self, command: Command) -> Any:
        """Write big values first, but not of what is refused."""
        if not self._way.is_clear(command):
            await self._way.make(command)
        decision = await self._durably(lambda: self._decide(placed(command, _nowhere)))
        if not decision.changes:
            return decision.answer
        outcomes = decision.answer if isinstance(decision.answer, tuple) else ()
        refused = _refused(outcomes)
        if isinstance(command, Settle) and refused:
            kept = [each for place, each in enumerate(command.settlements) if place not in refused]
            command = replace(command, settlements=tuple(kept))
        async with self._journal.blob_writes():
            blobs = {value: await self._journal.write_blob(value) for value in big_values(command)}
            answer = await self.submit(placed(command, blobs.__getitem__))
        if not refused:
            return answer
        rest = iter(answer)
        return tuple(refused[place] if place in refused else next(rest) for place in range(len(outcomes)))

    async def compact(self, new_secret: str | None = None) -> Compacted:
        """Write what is live into a new file, under another SECRET if there is one, while all goes on.

        Raises StorageFull, Unavailable, Damaged, ConfigurationWrong: then the old file stays in use.
        """
        if self._compaction is not None:
            raise Unavailable("a compaction is under way")
        if self._is_stopping:
            raise Unavailable("the server stops")
        self._compaction = Compaction(self._ledger, self._journal)
        try:
            return await self._compaction.run(new_secret)
        finally:
            self._compaction = None

    def live_bytes(self) -> int:
        """About how many bytes of the database file are still in use."""
        return live_bytes(self._ledger.totals)

    def file_bytes(self) -> int:
        """The size of the database file."""
        return self._journal.size

    def sequence(self) -> int:
        """Of the last commit."""
        return self._journal.sequence

    def stalled(self) -> str | None:
        """Why nothing can be made durable now: the disk does not answer. None when it does."""
        return self._journal.stalled

    @property
    def is_writing(self) -> bool:
        """Whether something is being written, or waits to be."""
        return self._journal.is_writing

    def free_bytes(self) -> int:
        """How many bytes may still be written on the disk. Blocks. Raises InputOutputFailed."""
        return self._journal.free_bytes()

    def refuse_growth(self, reason: str | None) -> None:
        """Refuse whatever adds jobs, or makes them larger, for this reason, until there is none."""
        self._no_growth = reason

    def scrub(self) -> Scrub:
        """A slow reading of the database file."""
        return self._journal.scrub()

    def torn_bytes(self) -> int:
        """How much of a torn tail was cut off when the file was opened."""
        return self._journal.report.torn_bytes

    # --- one command ---

    def _decide(self, command: Command) -> Decision[Answer]:
        decision = decide(self._ledger, command, self._moment())
        if self._no_growth is not None and grows(command, self._ledger):
            raise StorageFull(self._no_growth)
        return decision

    def _do(self, command: Command) -> tuple[Any, Awaitable[object] | None]:
        """Decide a command and store what it changes, in this turn. Not for big values."""
        decision = self._decide(command)
        return decision.answer, self._store(decision.changes) if decision.changes else None

    def _store(self, changes: Sequence[Change]) -> Awaitable[object]:
        """Take the changes into memory, and a place in the journal. Wait for what is returned."""
        self._journal.check()  # memory must not hold what the journal does not take
        undo = self._ledger.apply(changes)
        self._undos.append(undo)
        copies = None if self._compaction is None else self._compaction.copies(changes, undo)
        stored = self._journal.append(changes, copies)
        if len(self._undos) > _UNDOS_MOST:
            self._forget_undos()
        if self._watchers.events:
            self._watchers.note(changes)
        if self._handing_out.awaited:
            self._handing_out.note(changes)
        return stored

    def _forget_undos(self) -> None:
        while len(self._undos) > self._journal.in_flight:
            self._undos.popleft()

    # --- when the disk refuses ---

    def _take_back(self, newest: int) -> None:
        """So many of the newest changes did not reach the disk, which is full: memory forgets them too."""
        for _ in range(newest):
            self._ledger.undo(self._undos.pop())
        # Those who wait may have what was not claimed after all; but first all who were refused hear of it.
        asyncio.get_running_loop().call_soon(self._handing_out.serve_all)
        self._on_full()
        if self._compaction is not None:  # it may have copied what never came to be
            self._compaction.give_up(StorageFull("the disk is full; the old file stays in use"))
