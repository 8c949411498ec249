"""The door to the jobs. Rooms above know this interface only, whichever engine stands behind it."""

from collections.abc import AsyncGenerator
from typing import Protocol, overload

from msgspec import Struct

from jobengine.model.commands import (
    Answer,
    Claim,
    Command,
    Configure,
    Configured,
    Create,
    Delete,
    Sweep,
    Swept,
    Update,
)
from jobengine.model.job import Blob, Job
from jobengine.model.states import State


class Slice(Struct, frozen=True, gc=False):
    """Some jobs of a queue, in its order."""

    position: int  # of the first of them, over all states, from 0
    jobs: list[Job]


class QueueStatus(Struct, frozen=True):
    """A queue in figures, for the metrics."""

    name: str
    jobs: dict[State, int]
    oldest_queued_ms: int  # the age of the job that has waited longest; 0 when none waits


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
    async def submit(self, command: Create | Update | Delete) -> Job: ...
    @overload
    async def submit(self, command: Claim) -> Job | None: ...
    @overload
    async def submit(self, command: Configure) -> Configured: ...
    @overload
    async def submit(self, command: Sweep) -> Swept: ...
    async def submit(self, command: Command) -> Answer:
        """Decide a command, make its changes durable, and answer."""

    async def job(self, queue: str, uid: str) -> Job:
        """One job as it is now. Raises NotFound."""

    def slices(self, queue: str, *, after: str | None = None) -> AsyncGenerator[Slice, None]:
        """One moment's picture of a queue, in its order, behind a job or from the start, in slices.

        Raises NotFound. Close it (`contextlib.aclosing`) when it is not read to the end.
        """

    async def content(self, value: bytes | Blob) -> bytes:
        """A value, wherever it stands."""

    def stalled(self) -> str | None:
        """Why nothing can be made durable now: the disk does not answer. None when it does."""

    def status(self) -> list[QueueStatus]:
        """All queues in figures. No promise that they are durable."""
