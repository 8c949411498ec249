"""The engine of one machine: the ledger in memory, the journal on disk."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

from msgspec.structs import replace

from jobengine.engine.big_values import big_values, has_big_values, placed
from jobengine.engine.clock import Clock
from jobengine.engine.compaction import Compaction
from jobengine.engine.growth import grows
from jobengine.engine.handing_out import HandingOut
from jobengine.engine.interface import Compacted, QueueStatus, Slice
from jobengine.engine.pages import Page, Wish, page
from jobengine.engine.seeds import Seeds
from jobengine.engine.waiters import Claims, Watchers, queues_of
from jobengine.engine.workers import Workers, WorkerStatus
from jobengine.errors import Fatal, JobEngineError, NotFound, StorageFull, Unavailable
from jobengine.journal.blobs import ValueGone
from jobengine.journal.journal import Journal
from jobengine.journal.scrub import Scrub
from jobengine.journal.summary import live_bytes
from jobengine.model.blob import Blob
from jobengine.model.changes import Change
from jobengine.model.commands import Answer, Claim, ClaimAny, Command, Configure, Create, Settle, Sweep
from jobengine.model.contents import Contents
from jobengine.model.decision import Decision
from jobengine.model.job import Job
from jobengine.model.ledger import Ledger, Undo
from jobengine.model.log import JobLog
from jobengine.model.moment import Moment
from jobengine.model.obstacles import Obstacle, obstacles
from jobengine.model.order import LIVING
from jobengine.model.picture import Picture
from jobengine.model.rules import decide
from jobengine.model.rules.passing import as_of, current
from jobengine.model.states import State

SWEEP_MOST: Final = 200
SLICE_MOST: Final = 500
_UNDOS_MOST: Final = 256  # that may be kept longer than they are needed

SeenT = TypeVar("SeenT")


def _unobserved(_records: int, _seconds: float) -> None:
    """Nobody measures."""


def _unheard() -> None:
    """Nobody cares."""


def _refused(outcomes: tuple[object, ...]) -> dict[int, JobEngineError]:
    return {place: each for place, each in enumerate(outcomes) if isinstance(each, JobEngineError)}


def _nowhere(value: bytes) -> Blob:
    """Stands for a big value that is not in the file yet."""
    return Blob(len(value), b"", ())


class LocalEngine:
    """Decides in memory, stores in the journal, answers when it is stored.

    There is no await between deciding a command and its place in the journal: memory and disk see the same
    order, and the event loop is the lock.
    """

    def __init__(self, ledger: Ledger, journal: Journal, clock: Clock) -> None:
        self._ledger = ledger
        self._journal = journal
        self._clock = clock
        self._seeds = Seeds()
        self._undos: deque[Undo] = deque()  # of the changes that are not on disk yet
        self._compaction: Compaction | None = None
        self._handing_out = HandingOut(ledger, clock, self._do)
        self._watchers = Watchers()
        self._workers = Workers()
        self._is_stopping = False
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
                if not self._is_way_clear(command):
                    await self._make_way(command)
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
        await self._make_way(command)
        if self._is_stopping:
            raise Unavailable("the server stops")
        try:
            return await self._handing_out.wait(command, wait, may_claim)
        finally:
            self._see(command)

    def workers(self, queues: Collection[str]) -> list[WorkerStatus]:
        """Those who were seen on these queues in the last minutes, and what they have in progress."""
        held: dict[tuple[str | None, str | None], list[str]] = {}
        there = [found for queue in queues if (found := self._ledger.find(queue)) is not None]
        for contents in there:
            for job in contents.order.in_states((State.INPROGRESS,), after=-1):
                held.setdefault((job.claimer, job.worker), []).append(job.uid)
        return [
            WorkerStatus(
                name, service, tuple(sorted(seen)), tuple(held.get((service, name), ())), max(seen.values())
            )
            for service, name, seen in self._workers.on(queues, self._clock.now())
        ]

    def _see(self, command: Claims) -> None:
        if command.worker is not None:
            queues = [name for name in queues_of(command) if self._ledger.find(name) is not None]
            if queues:
                self._workers.see(command.claimer, command.worker, queues, self._clock.now())

    def _see_holders(self, outcomes: Sequence[object]) -> None:
        for job in outcomes:
            if isinstance(job, Job) and job.worker is not None and job.claimer is not None:
                self._workers.see(job.claimer, job.worker, (job.queue,), self._clock.now())

    async def ended(self, queue: str, uid: str, *, wait: float) -> Job:
        """The job when it has ended, or after so many seconds, as it is then. Raises NotFound.

        One that died meanwhile is shown as the dead letter that it is.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + wait
        while True:
            changed = self._watchers.add(queue, uid)  # before the look: nothing can come between
            try:
                job = await self._durably(lambda: self._job_or_dead_letter(queue, uid))
                left = end - loop.time()
                if job.has_ended or job.queue != queue or left <= 0 or self._is_stopping:
                    return job
                with suppress(TimeoutError):  # not wait_for, which in Python 3.11 can lose a cancellation
                    async with asyncio.timeout(left):
                        await changed.wait()
            finally:
                self._watchers.remove(queue, uid, changed)

    async def once(self, queue: str, uid: str, is_so: Callable[[Job], bool]) -> Job:
        """The job as soon as it is so, however long that takes. Raises NotFound when it is gone."""
        while True:
            changed = self._watchers.add(queue, uid)  # before the look: nothing can come between
            try:
                job = await self.job(queue, uid)
                if is_so(job):
                    return job
                await changed.wait()
            finally:
                self._watchers.remove(queue, uid, changed)

    async def log(
        self, queue: str, uid: str, *, known: JobLog | None = None, wait: float = 0
    ) -> tuple[Job, JobLog | None]:
        """A job, and what it has written; when that is what is known, more of it, or its end."""

        def look() -> tuple[Job, JobLog | None]:
            return current(self._ledger, queue, uid, self._moment()), self._ledger.log(queue, uid)

        loop = asyncio.get_running_loop()
        end = loop.time() + wait
        while True:
            changed = self._watchers.add(queue, uid)
            try:
                job, log = await self._durably(look)
                left = end - loop.time()
                if log is not known or job.has_ended or left <= 0 or self._is_stopping:
                    return job, log
                with suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await changed.wait()
            finally:
                self._watchers.remove(queue, uid, changed)

    def _job_or_dead_letter(self, queue: str, uid: str) -> Job:
        """Raises NotFound."""
        try:
            return current(self._ledger, queue, uid, self._moment())
        except NotFound:
            dead_letter = self._ledger.queue(queue).dead_letter
            if dead_letter is None:
                raise
            job = current(self._ledger, dead_letter, uid, self._moment())
            if job.more.died_in != queue:
                raise
            return job

    async def _submit_big(self, command: Command) -> Any:
        """Write big values first, but not of what is refused."""
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

    async def job(self, queue: str, uid: str) -> Job:
        """One job as it is now. Raises NotFound."""
        return await self._durably(lambda: current(self._ledger, queue, uid, self._moment()))

    async def slices(self, queue: str, *, after: str | None = None) -> AsyncGenerator[Slice, None]:
        """One moment's picture of a queue, in its order, behind a job or from the start, in slices."""
        contents, picture = await self._picture(queue, after)
        now, position = self._clock.now(), picture.position
        try:
            while jobs := picture.slice(SLICE_MOST):
                jobs = [job for job in (as_of(job, contents.queue, now) for job in jobs) if job is not None]
                yield Slice(position, jobs)
                position += len(jobs)
                await asyncio.sleep(0)
        finally:
            contents.close(picture)

    async def page(self, wish: Wish) -> Page:
        """Some of the jobs of a queue that are wanted, in its order. Raises NotFound."""
        while True:
            found = await page(self._ledger, wish, self._clock.now, self.content)
            if await self._what_was_seen_lasts():
                return found

    async def why(self, queue: str, uid: str) -> tuple[Job, tuple[Obstacle, ...]]:
        """The job as it is now, and what keeps it from being handed out. Raises NotFound."""

        def look() -> tuple[Job, tuple[Obstacle, ...]]:
            moment = self._moment()
            job = current(self._ledger, queue, uid, moment)
            return job, obstacles(job, self._ledger, moment.now)

        return await self._durably(look)

    async def content(self, value: bytes | Blob) -> bytes:
        """A value, wherever it stands. Raises Damaged, and NotFound when its job has gone meanwhile."""
        if isinstance(value, bytes):
            return value
        try:
            return await asyncio.to_thread(self._journal.read_blob, value)
        except ValueGone:
            raise NotFound from None

    def status(self) -> list[QueueStatus]:
        """All queues in figures. No promise that they are durable."""
        return [self._status(self._ledger.contents(queue.name)) for queue in self._ledger.queues()]

    def queue_status(self, name: str) -> QueueStatus:
        """One queue in figures. Raises NotFound."""
        return self._status(self._ledger.contents(name))

    def file_bytes(self) -> int:
        """The size of the database file."""
        return self._journal.size

    def sequence(self) -> int:
        """Of the last commit."""
        return self._journal.sequence

    def now(self) -> int:
        """The time by the broker's own clock, in ms since the Unix epoch."""
        return self._clock.now()

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

    def _moment(self) -> Moment:
        return Moment(self._clock.now(), self._seeds.next())

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

    # --- what time has done, and no sweep yet ---

    def _is_way_clear(self, command: Command) -> bool:
        """Whether nothing must be done before this command is decided."""
        match command:
            case Create():
                return not self._is_limited(command.queue)
            case Claim():
                return self._is_clear_for_claim(command.queue)
            case ClaimAny() | Configure():
                return False
            case _:
                return True

    async def _make_way(self, command: Command) -> None:
        """Do first what must be done before this command is decided."""
        match command:
            case Claim() | ClaimAny():
                await self._make_way_for_claim(command)
            case Create():
                await self._sweep_all(command.queue)  # what is due takes nobody's place
            case Configure():
                await self._end_old_rules(command)

    def _is_limited(self, name: str) -> bool:
        contents = self._ledger.find(name)
        return contents is not None and bool(contents.queue.max_jobs or contents.queue.max_bytes)

    def _is_clear_for_claim(self, queue: str) -> bool:
        """Whether a claim may be decided now. What is over is not handed out, and what was given back is."""
        contents, now = self._ledger.contents(queue), self._clock.now()
        order = contents.order
        return order.let_go(now) and order.skip_overdue(now) and not contents.deadlines.lease_is_over(now)

    async def _make_way_for_claim(self, command: Claim | ClaimAny) -> None:
        """Raises NotFound."""
        for queue in queues_of(command):
            order, now = self._ledger.contents(queue).order, self._clock.now()
            while not (order.let_go(now) and order.skip_overdue(now)):  # noqa: ASYNC110  # others get a turn
                await asyncio.sleep(0)
            while self._ledger.contents(queue).deadlines.lease_is_over(self._clock.now()):
                await self.submit(Sweep(SWEEP_MOST, queue))

    async def _end_old_rules(self, command: Configure) -> None:
        """What was due under a queue's old settings is not judged by its new ones."""
        present = {queue.name: queue for queue in self._ledger.queues()}
        changed = [queue.name for queue in command.queues if present.get(queue.name, queue) != queue]
        # While one is swept, time goes on in the others: none may be left with anything due.
        while any(any(self._ledger.due(self._clock.now(), 1, name)) for name in changed):
            for name in changed:
                await self._sweep_all(name)

    async def _sweep_all(self, queue: str) -> None:
        # The queue is looked up each time: it may have been dropped, and made anew, during a wait.
        while any(self._ledger.due(self._clock.now(), 1, queue)):
            await self.submit(Sweep(SWEEP_MOST, queue))

    # --- reading ---

    async def _durably(self, look: Callable[[], SeenT]) -> SeenT:
        """What `look` sees, or refuses, once everything that it saw is on disk."""
        while True:
            try:
                seen = look()
            except JobEngineError:
                if await self._what_was_seen_lasts():
                    raise
            else:
                if await self._what_was_seen_lasts():
                    return seen

    async def _what_was_seen_lasts(self) -> bool:
        """Wait until all that was decided is on disk. False when it was taken back: look again."""
        in_flight = self._journal.barrier()
        if in_flight is not None:
            try:
                await in_flight
            except StorageFull:
                return False
        return True

    async def _picture(self, queue: str, after: str | None) -> tuple[Contents, Picture]:
        """A picture of a queue in which nothing is due, and everything durable."""
        while True:
            contents, behind = await self._swept(queue, after)
            picture = contents.picture(after=behind)
            try:
                if await self._what_was_seen_lasts():
                    return contents, picture
            except BaseException:
                contents.close(picture)
                raise
            contents.close(picture)

    async def _swept(self, queue: str, after: str | None) -> tuple[Contents, int]:
        """A queue in which nothing is due, and the place of this job in it."""
        while True:
            try:
                # Then it is read as it is: a disk that is full, or hangs, keeps nobody from reading.
                with suppress(StorageFull, Unavailable):
                    await self._sweep_all(queue)
                contents = self._ledger.contents(queue)
                behind = -1 if after is None else current(self._ledger, queue, after, self._moment()).order
            except NotFound:
                if await self._what_was_seen_lasts():
                    raise
            else:
                return contents, behind

    def _status(self, contents: Contents) -> QueueStatus:
        oldest = contents.order.longest_waiting()
        return QueueStatus(
            queue=contents.queue,
            jobs={state: contents.order.count(state) for state in LIVING},
            held=contents.order.held,
            queued_bytes=contents.queued_bytes,
            oldest_queued_ms=self._clock.now() - oldest.created if oldest else 0,
        )

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
