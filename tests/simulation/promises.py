"""What no change may break, whatever was asked: each job before it and after it are compared.

1. A job's epoch never falls, and rises by one with each lease: no two holders ever have the same one.
2. Nobody is given a job that another holds; one that has ended is done again only when a caller says so.
3. A dead letter keeps its content and all that it failed with.
4. Nothing that a caller does to jobs makes a second one with a unique key that counts.
5. An idempotency key makes its jobs once.
6. Each change makes `updated`, the version, a later one.
7. A job writes in its own attempt only.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from jobengine.model.changes import AlterJob, AppendLog, Change, DropJob, MoveJob, PutJob, PutKey
from jobengine.model.commands import Command, Control, Create, Update
from jobengine.model.job import Job
from tests.simulation.book import Book
from tests.simulation.passing import counts, keeps_out, left_by_time

Place = tuple[str, str]  # queue and uid


class Step(Struct):
    """One job, as it was stored before a command and after it."""

    before: Job
    left: Job | None  # as time had left it when the command was decided
    after: Job


def broken(book: Book, command: Command, changes: Sequence[Change], now: int) -> Iterator[str]:
    """What these changes break. Once all of it was asked for, they have happened in the book."""
    for change in changes:
        if isinstance(change, PutKey) and change.key.hash in book.keys:
            yield "an idempotency key has made jobs twice"
        if isinstance(change, AppendLog) and not _is_its_own(book, change):
            yield f"{change.uid} has written in an attempt that is not its own"
    places = dict.fromkeys(place for change in changes if (place := _place(change)) is not None)
    before = {place: job for place in places if (job := book.jobs[place[0]].get(place[1])) is not None}
    by_uid = {uid: job for (_, uid), job in before.items()}
    queues = dict(book.queues)
    book.apply(changes)
    for queue, uid in places:
        after, old = book.jobs[queue].get(uid), before.get((queue, uid)) or by_uid.get(uid)
        if after is not None and isinstance(command, Create | Control):
            # Of a job whose lease is over the key counts again by time alone, whoever looks.
            yield from _of_key(book, after, old and left_by_time(old, queues[old.queue], now), now)
        if after is not None and old is not None:
            yield from _of_step(Step(old, left_by_time(old, queues[old.queue], now), after), command)


def _is_its_own(book: Book, change: AppendLog) -> bool:
    job = book.jobs[change.queue].get(change.uid)
    return job is not None and (job.state, job.epoch) == ("inprogress", change.epoch)


def _place(change: Change) -> Place | None:
    match change:
        case PutJob(job):
            return job.queue, job.uid
        case MoveJob(queue, uid) | AlterJob(MoveJob(queue, uid)) | DropJob(queue, uid):
            return queue, uid
        case _:
            return None


def _of_key(book: Book, job: Job, before: Job | None, now: int) -> Iterator[str]:
    unique = job.more.unique
    was_there = before is not None and before.queue == job.queue and counts(before, now)
    if unique is None or was_there or not counts(job, now):
        return
    for other in book.jobs[job.queue].values():
        has_it = other.more.unique is not None and other.more.unique.key == unique.key
        if has_it and other.uid != job.uid and keeps_out(other, book.queues[job.queue], now):
            yield f"{job.uid} and {other.uid} have the same unique key"


def _of_step(step: Step, command: Command) -> Iterator[str]:
    before, left, after = step.before, step.left, step.after
    if left is None and after.created != before.created:
        return  # another job, with the uid of one that is gone
    if after.updated <= before.updated:
        yield f"{after.uid} has changed, and has the version of before"
    if after.epoch < before.epoch:
        yield f"the epoch of {after.uid} falls"
    if after.epoch > before.epoch:
        yield from _of_lease(step, command)
    elif after.state == "inprogress" and _changes_hands(before, after) and not isinstance(command, Update):
        yield f"{after.uid} has another holder in the same lease"
    if before.has_ended and not after.has_ended and not isinstance(command, Update | Control):
        yield f"{after.uid} had ended, and is done again"
    if after.queue != before.queue and not isinstance(command, Control):
        yield from _of_dead_letter(before, after)


def _changes_hands(before: Job, after: Job) -> bool:
    return (before.lease, before.claimer) != (after.lease, after.claimer)


def _of_lease(step: Step, command: Command) -> Iterator[str]:
    if step.after.epoch != step.before.epoch + 1:
        yield f"the epoch of {step.after.uid} rises by more than one"
    if isinstance(command, Update):
        return  # API v1 may start any job
    if step.left is None or step.left.state != "queued":
        yield f"{step.after.uid} is handed out, and is not queued"
    if step.after.lease in (0, step.before.lease):
        yield f"{step.after.uid} is handed out without a lease of its own"


def _of_dead_letter(before: Job, after: Job) -> Iterator[str]:
    kept = before.more.failures[-9:]
    if after.more.died_in != before.queue or after.attempt or after.state != "queued":
        yield f"{after.uid} is no proper dead letter"
    if after.more.failures[: len(kept)] != kept and after.more.failures[-len(kept) :] != kept:
        yield f"the dead letter {after.uid} has lost its errors"
