"""What waits to be written, and who waits for it."""

import asyncio
from collections.abc import Callable, Sequence

from jobengine.errors import JobEngineError
from jobengine.journal.successor import Successor
from jobengine.model.changes import Change

Run = Callable[[], object]  # what the writer thread does when it is its turn
Waiter = asyncio.Future[None]


class Batch:
    """What is written and synced together, and who waits for it."""

    __slots__ = ("appends", "changes", "copies", "size", "successor", "waiters")

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.size = 0  # about how many bytes
        self.appends = 0
        self.waiters: list[Waiter] = []
        self.successor: Successor | None = None  # the file of a compaction that began before this is written
        self.copies: list[Change] = []  # what of the changes that file needs: see successor.py

    def add(self, changes: Sequence[Change], size: int, waiter: Waiter) -> None:
        """Some more changes, and who waits for them."""
        self.changes += changes
        self.size += size
        self.appends += 1
        self.waiters.append(waiter)

    def copy(self, copies: Sequence[Change], successor: Successor | None) -> None:
        """What of the changes just added this file needs; None when there is none, or it is in place."""
        if successor is not None and successor is not self.successor:
            self.successor, self.copies = successor, []
        if self.successor is not None:
            self.copies += copies


class Errand:
    """A write of its own, between two batches."""

    __slots__ = ("is_patient", "prepare", "waiters")

    def __init__(self, prepare: Callable[[], Run], waiter: Waiter, *, is_patient: bool) -> None:
        self.prepare = prepare
        self.is_patient = is_patient  # whoever waits must know what came of it, however long that takes
        self.waiters = [waiter]


def answer(written: Batch | Errand) -> None:
    """Whoever waits is told that it is on disk."""
    for waiter in written.waiters:
        if not waiter.done():  # one cancelled caller must not keep the others waiting
            waiter.set_result(None)


def refuse(written: Batch | Errand, error: JobEngineError) -> None:
    """Whoever waits is told this instead."""
    for waiter in written.waiters:
        if not waiter.done():
            failed(waiter, error)


def failed(waiter: Waiter, error: JobEngineError) -> Waiter:
    """The future, failed with an error of its own: raised twice, an error would carry two tracebacks."""
    waiter.set_exception(type(error)(error.detail))
    waiter.exception()  # looked at: asyncio need not complain when the caller has gone
    return waiter
