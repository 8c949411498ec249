"""What only looks at the jobs. Nobody is told what is not on disk yet."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import suppress
from typing import Final, TypeVar

from jobengine.engine.clock import Clock
from jobengine.engine.interface import QueueStatus, Slice
from jobengine.engine.pages import Page, Wish, page
from jobengine.engine.seeds import Seeds
from jobengine.engine.waiters import Watchers
from jobengine.engine.way import Way
from jobengine.engine.workers import Workers, WorkerStatus
from jobengine.errors import JobEngineError, NotFound, StorageFull, Unavailable
from jobengine.journal.blobs import ValueGone
from jobengine.journal.journal import Journal
from jobengine.model.blob import Blob
from jobengine.model.contents import Contents
from jobengine.model.job import Job
from jobengine.model.ledger import Ledger
from jobengine.model.log import JobLog
from jobengine.model.moment import Moment
from jobengine.model.obstacles import Obstacle, obstacles
from jobengine.model.order import LIVING
from jobengine.model.picture import Picture
from jobengine.model.rules.passing import as_of, current

SLICE_MOST: Final = 500

SeenT = TypeVar("SeenT")


class Looking:
    """An engine as far as it changes nothing."""

    def __init__(self, ledger: Ledger, journal: Journal, clock: Clock, way: Way) -> None:
        self._ledger = ledger
        self._journal = journal
        self._clock = clock
        self._way = way
        self._seeds = Seeds()
        self._watchers = Watchers()
        self._workers = Workers()
        self._is_stopping = False

    # --- one job ---

    async def job(self, queue: str, uid: str) -> Job:
        """One job as it is now. Raises NotFound."""
        return await self._durably(lambda: self._current(queue, uid))

    async def why(self, queue: str, uid: str) -> tuple[Job, tuple[Obstacle, ...]]:
        """The job as it is now, and what keeps it from being handed out. Raises NotFound."""

        def look() -> tuple[Job, tuple[Obstacle, ...]]:
            moment = self._moment()
            job = current(self._ledger, queue, uid, moment)
            return job, obstacles(job, self._ledger, moment.now)

        return await self._durably(look)

    async def ended(self, queue: str, uid: str, *, wait: float) -> Job:
        """The job when it has ended, or after so many seconds, as it is then. Raises NotFound.

        One that died meanwhile is shown as the dead letter that it is.
        """

        def is_over(job: Job) -> bool:
            return job.has_ended or job.queue != queue

        return await self._watch(queue, uid, lambda: self._job_or_dead_letter(queue, uid), is_over, wait)

    async def once(self, queue: str, uid: str, is_so: Callable[[Job], bool]) -> Job:
        """The job as soon as it is so, however long that takes. Raises NotFound; at a stop, Unavailable."""
        job = await self._watch(queue, uid, lambda: self._current(queue, uid), is_so, None)
        if not is_so(job):
            raise Unavailable("the server stops")
        return job

    async def log(
        self, queue: str, uid: str, *, known: JobLog | None = None, wait: float = 0
    ) -> tuple[Job, JobLog | None]:
        """A job, and what it has written; when that is what is known, more of it, or its end."""

        def look() -> tuple[Job, JobLog | None]:
            return self._current(queue, uid), self._ledger.log(queue, uid)

        def is_new(seen: tuple[Job, JobLog | None]) -> bool:
            job, log = seen
            return log is not known or job.has_ended

        return await self._watch(queue, uid, look, is_new, wait)

    async def content(self, value: bytes | Blob) -> bytes:
        """A value, wherever it stands. Raises Damaged, and NotFound when its job has gone meanwhile."""
        if isinstance(value, bytes):
            return value
        try:
            return await asyncio.to_thread(self._journal.read_blob, value)
        except ValueGone:
            raise NotFound from None

    # --- many jobs ---

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
            try:
                found = await page(self._ledger, wish, self._clock.now, self.content)
            except NotFound:
                if await self._what_was_seen_lasts():
                    raise
            else:
                if await self._what_was_seen_lasts():
                    return found

    def workers(self, queues: Collection[str]) -> list[WorkerStatus]:
        """Those who were seen on these queues in the last minutes, and what they have in progress."""
        return self._workers.status(queues, self._ledger, self._clock.now())

    def status(self) -> list[QueueStatus]:
        """All queues in figures. No promise that they are durable."""
        return [self._status(self._ledger.contents(queue.name)) for queue in self._ledger.queues()]

    def queue_status(self, name: str) -> QueueStatus:
        """One queue in figures. Raises NotFound."""
        return self._status(self._ledger.contents(name))

    def now(self) -> int:
        """The time by the broker's own clock, in ms since the Unix epoch."""
        return self._clock.now()

    # --- what is seen must last ---

    async def _watch(
        self,
        queue: str,
        uid: str,
        look: Callable[[], SeenT],
        is_enough: Callable[[SeenT], bool],
        wait: float | None,
    ) -> SeenT:
        """What `look` sees of a job when it is enough; else after so many seconds, or at a stop."""
        loop = asyncio.get_running_loop()
        end = None if wait is None else loop.time() + wait
        while True:
            changed = self._watchers.add(queue, uid)  # before the look: nothing can come between
            try:
                seen = await self._durably(look)
                is_time_over = end is not None and loop.time() >= end
                if is_enough(seen) or is_time_over or self._is_stopping:
                    return seen
                with suppress(TimeoutError):  # not wait_for, which in Python 3.11 can lose a cancellation
                    async with asyncio.timeout_at(end):
                        await changed.wait()
            finally:
                self._watchers.remove(queue, uid, changed)

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

    def _moment(self) -> Moment:
        return Moment(self._clock.now(), self._seeds.next())

    def _current(self, queue: str, uid: str) -> Job:
        """Raises NotFound."""
        return current(self._ledger, queue, uid, self._moment())

    def _job_or_dead_letter(self, queue: str, uid: str) -> Job:
        """Raises NotFound."""
        try:
            return self._current(queue, uid)
        except NotFound:
            dead_letter = self._ledger.queue(queue).dead_letter
            if dead_letter is None:
                raise
            job = self._current(dead_letter, uid)
            if job.more.died_in != queue:
                raise
            return job

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
                    await self._way.sweep_all(queue)
                contents = self._ledger.contents(queue)
                behind = -1 if after is None else self._current(queue, after).order
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
