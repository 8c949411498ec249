"""What a rule may look at: the ledger, or a small part of it that was loaded under locks."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from jobengine.model.job import Job, Queue


class View(Protocol):
    """The queues and jobs that a command is decided on."""

    @property
    def next_arrival(self) -> int:
        """The number of the next job to come."""

    def queue(self, name: str) -> Queue:
        """A queue's settings. Raises NotFound."""

    def queues(self) -> Sequence[Queue]:
        """All queues."""

    def count(self, name: str) -> int:
        """How many jobs a queue holds."""

    def job(self, queue: str, uid: str) -> Job | None:
        """A job as it is stored: what is due may not have been swept."""

    def first_queued(self, queue: str, now: int) -> Job | None:
        """The job to hand out next: queued, alive, most urgent, longest there."""

    def due(self, now: int, most: int, queue: str | None) -> Iterator[Job]:
        """Jobs of one queue, or of all, whose deadline has come, at most so many."""

    def has_room_for(self, extra_bytes: int) -> bool:
        """Whether jobs may take so many bytes of memory more."""
