"""The door to the jobs. Rooms above know this interface only, whichever engine stands behind it."""

from collections.abc import AsyncGenerator, Callable, Collection
from typing import Protocol, overload

from msgspec import Struct

from jobengine.engine.pages import Page, Wish
from jobengine.engine.workers import WorkerStatus
from jobengine.model.blob import Blob
from jobengine.model.commands import (
    Amend,
    Answer,
    Claim,
    ClaimAny,
    Command,
    Configure,
    Configured,
    Control,
    Create,
    Created,
    Log,
    Outcome,
    Settle,
    Steer,
    Sweep,
    Swept,
    Update,
)
from jobengine.model.job import Job
from jobengine.model.log import JobLog
from jobengine.model.obstacles import Obstacle
from jobengine.model.queue import Queue
from jobengine.model.states import State


class Slice(Struct, frozen=True, gc=False):
    """Some jobs of a queue, in its order."""

    position: int  # of the first of them, over all states, from 0
    jobs: list[Job]


class QueueStatus(Struct, frozen=True):
    """A queue in figures, for the metrics."""

    queue: Queue
    jobs: dict[State, int]
    held: int  # of the queued ones: they wait for a time, or are halted
    queued_bytes: int  # of the contents of the queued ones
    oldest_queued_ms: int  # the age of the job that has waited longest; 0 when none waits

    @property
    def name(self) -> str:
        """Of the queue."""
        return self.queue.name


class Compacted(Struct, frozen=True):
    """What a compaction did."""

    bytes_before: int
    bytes_after: int
    seconds: float
    sequence: int  # of the last frame when it was done


class Engine(Protocol):
    """Decides commands, and answers only when what it says is durable.

    All methods raise the refusals of errors.py, StorageFull (nothing changed) and OutcomeUnknown
    (the disk failed, and nobody knows) among them.
    """

    @overload
    async def submit(self, command: Create) -> Created: ...
    @overload
    async def submit(self, command: Claim | ClaimAny) -> tuple[Job, ...]: ...
    @overload
    async def submit(self, command: Settle | Control) -> tuple[Outcome, ...]: ...
    @overload
    async def submit(self, command: Update | Amend | Log) -> Job: ...
    @overload
    async def submit(self, command: Steer) -> Queue: ...
    @overload
    async def submit(self, command: Configure) -> Configured: ...
    @overload
    async def submit(self, command: Sweep) -> Swept: ...
    async def submit(self, command: Command) -> Answer:
        """Decide a command, make its changes durable, and answer."""

    async def claim(
        self, command: Claim | ClaimAny, *, wait: float = 0, may_claim: Callable[[], object] = ...
    ) -> tuple[Job, ...]:
        """Claim jobs; when there are none, wait so many seconds for some.

        `may_claim` is asked again when there are some, and may raise what is to be told instead.
        """

    async def ended(self, queue: str, uid: str, *, wait: float) -> Job:
        """The job when it has ended, or after so many seconds, as it is then. Raises NotFound."""

    async def once(self, queue: str, uid: str, is_so: Callable[[Job], bool]) -> Job:
        """The job as soon as it is so, however long that takes. Raises NotFound; at a stop, Unavailable."""

    async def log(
        self, queue: str, uid: str, *, known: JobLog | None = None, wait: float = 0
    ) -> tuple[Job, JobLog | None]:
        """A job, and what it has written.

        When that is known already: more of it, or its end, if it comes within so many seconds.
        Raises NotFound.
        """

    async def page(self, wish: Wish) -> Page:
        """Some of the jobs of a queue that are wanted, in its order. Raises NotFound."""

    async def why(self, queue: str, uid: str) -> tuple[Job, tuple[Obstacle, ...]]:
        """The job as it is now, and what keeps it from being handed out. Raises NotFound."""

    def workers(self, queues: Collection[str]) -> list[WorkerStatus]:
        """Those who were seen on these queues in the last minutes. No promise that it is durable."""

    def queue_status(self, name: str) -> QueueStatus:
        """One queue in figures. Raises NotFound."""

    async def job(self, queue: str, uid: str) -> Job:
        """One job as it is now. Raises NotFound."""

    def slices(self, queue: str, *, after: str | None = None) -> AsyncGenerator[Slice, None]:
        """One moment's picture of a queue, in its order, behind a job or from the start, in slices.

        Raises NotFound. Close it (`contextlib.aclosing`) when it is not read to the end.
        """

    async def content(self, value: bytes | Blob) -> bytes:
        """A value, wherever it stands."""

    def now(self) -> int:
        """The time by the broker's own clock, in ms since the Unix epoch."""

    def stalled(self) -> str | None:
        """Why nothing can be made durable now: the disk does not answer. None when it does."""

    def status(self) -> list[QueueStatus]:
        """All queues in figures. No promise that they are durable."""
