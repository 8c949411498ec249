"""Callers who wait: for a job to claim, or for one to end."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from msgspec import Struct

from jobengine.model.changes import AlterJob, AppendLog, Change, DropJob, DropQueue, MoveJob, PutJob
from jobengine.model.commands import Claim, ClaimAny
from jobengine.model.job import Job

Claims = Claim | ClaimAny
Handed = tuple[tuple[Job, ...], Awaitable[object] | None]  # jobs, and what to wait for until that is on disk


class Claimer(Struct, eq=False):
    """One who waits for jobs of a queue, or of several."""

    command: Claims
    may_claim: Callable[[], object]  # asked again when there is a job: raises what is to be told instead
    handed: asyncio.Future[Handed]


def queues_of(command: Claims) -> Iterable[str]:
    """The queues that a claim is made on."""
    return (command.queue,) if isinstance(command, Claim) else (name for name, _ in command.weights)


class Claimers:
    """Who waits for jobs, first come first served, by queue."""

    def __init__(self) -> None:
        self.by_queue: dict[str, dict[Claimer, None]] = {}  # to be read only

    def queues(self) -> list[str]:
        """The queues on which somebody waits."""
        return list(self.by_queue)

    def add(self, claimer: Claimer) -> None:
        """Take one in."""
        for queue in queues_of(claimer.command):
            self.by_queue.setdefault(queue, {})[claimer] = None

    def remove(self, claimer: Claimer) -> None:
        """It waits no more. Once is enough."""
        for queue in queues_of(claimer.command):
            waiting = self.by_queue.get(queue, {})
            waiting.pop(claimer, None)
            if not waiting:
                self.by_queue.pop(queue, None)

    def first(self, queue: str) -> Claimer | None:
        """Who has waited longest for a job of this queue."""
        return next(iter(self.by_queue.get(queue, ())), None)


class Watchers:
    """Who waits until a job has changed: for its end, above all."""

    def __init__(self) -> None:
        self.events: dict[tuple[str, str], set[asyncio.Event]] = {}  # to be read only

    def add(self, queue: str, uid: str) -> asyncio.Event:
        """An event that is set when this job changes, or is gone."""
        event = asyncio.Event()
        self.events.setdefault((queue, uid), set()).add(event)
        return event

    def remove(self, queue: str, uid: str, event: asyncio.Event) -> None:
        """Nobody waits for this event any more."""
        events = self.events[queue, uid]
        events.remove(event)
        if not events:
            del self.events[queue, uid]

    def note(self, changes: Iterable[Change]) -> None:
        """These changes were just made."""
        for change in changes:
            match change:
                case PutJob(job):
                    self._tell(job.queue, job.uid)
                case MoveJob(queue, uid) | AlterJob(MoveJob(queue, uid)) | DropJob(queue, uid):
                    self._tell(queue, uid)
                case AppendLog(queue, uid):
                    self._tell(queue, uid)
                case DropQueue(name):
                    for queue, uid in tuple(self.events):
                        if queue == name:
                            self._tell(queue, uid)

    def tell_all(self) -> None:
        """Let all of them look: nothing more will come."""
        for queue, uid in self.events:
            self._tell(queue, uid)

    def _tell(self, queue: str, uid: str) -> None:
        for event in self.events.get((queue, uid), ()):
            event.set()
