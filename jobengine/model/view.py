"""What a rule may look at: the ledger, or a small part of it that was loaded under locks."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from msgspec import Struct

from jobengine.model.job import Job
from jobengine.model.keys import Key
from jobengine.model.log import JobLog
from jobengine.model.queue import Queue


class Waiting(Struct, frozen=True, gc=False):
    """What waits in a queue."""

    jobs: int
    bytes: int  # of their contents


class View(Protocol):
    """The queues and jobs that a command is decided on."""

    @property
    def next_arrival(self) -> int:
        """The number of the next job to come."""

    @property
    def next_key(self) -> int:
        """The number of the next idempotency key to come."""

    def queue(self, name: str) -> Queue:
        """A queue's settings. Raises NotFound."""

    def find_queue(self, name: str) -> Queue | None:
        """A queue's settings, when there is such a queue."""

    def queues(self) -> Sequence[Queue]:
        """All queues."""

    def count(self, name: str) -> int:
        """How many jobs a queue holds."""

    def waiting(self, name: str) -> Waiting:
        """What waits in a queue."""

    def job(self, queue: str, uid: str) -> Job | None:
        """A job as it is stored: what is due may not have been swept."""

    def first_ready(self, queue: str, now: int) -> Job | None:
        """The job to hand out next: queued, alive, held back by nothing, most urgent, longest there."""

    def ready(self, queue: str, now: int, most: int) -> list[Job]:
        """The jobs to hand out next."""

    def lowest_first(self, queue: str) -> Iterator[Job]:
        """The queued jobs, the last in the queue's order first."""

    def unique_holders(self, queue: str, key: str, now: int) -> Iterable[Job]:
        """The jobs, as they are stored, that may keep others with this unique key out."""

    def key(self, hash_: bytes, now: int) -> Key | None:
        """An idempotency key that is remembered."""

    def outdated_keys(self, now: int, most: int, room_for: int = 0) -> int | None:
        """The number up to which idempotency keys are to be forgotten, at most so many of them."""

    def log(self, queue: str, uid: str) -> JobLog | None:
        """What a job has written."""

    def idle_with_log(self, queue: str) -> Iterator[Job]:
        """The jobs of a queue that have written something, and that nobody holds."""

    def due(self, now: int, most: int, queue: str | None) -> Iterator[Job]:
        """Jobs of one queue, or of all, whose deadline has come, at most so many."""

    def has_room_for(self, extra_bytes: int) -> bool:
        """Whether jobs may take so many bytes of memory more."""
