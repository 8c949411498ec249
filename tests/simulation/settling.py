"""What holders say of their jobs, once more, in the plainest way."""

from collections.abc import Sequence
from typing import assert_never

from msgspec.structs import replace

from jobengine.errors import JobEngineError
from jobengine.model.commands import Complete, Extend, Fail, Progress, Release, Settle, Settlement
from jobengine.model.extra import FAILURE_TEXT_MOST, Extra, Failure, Reason
from jobengine.model.job import Job
from jobengine.model.queue import Queue
from jobengine.model.states import State
from tests.simulation.book import Book, plain_job, plain_value
from tests.simulation.passing import at_rest, attempts_most, present, with_record


def wrong_settlements(book: Book, command: Settle, answer: Sequence[object], now: int) -> str:
    """What is wrong with these outcomes; nothing when they are right."""
    queue = book.queues[command.queue]
    left: dict[str, Job] = {}
    for said, outcome in zip(command.settlements, answer, strict=True):
        job = left.get(said.uid) or present(book, command.queue, said.uid, now)
        expected = "not_found" if job is None else _settled(job, said, queue, now)
        told = outcome.code if isinstance(outcome, JobEngineError) else outcome
        told = plain_job(told) if isinstance(told, Job) else told
        if told != expected:
            return f"{said}: {told}, and not {expected}"
        if isinstance(expected, Job):
            left[said.uid] = expected
    return ""


def _settled(job: Job, said: Settlement, queue: Queue, now: int) -> Job | str:
    """The job then, or the code of the refusal."""
    if isinstance(said, Complete) and job.state == "complete" and job.lease == said.lease:
        return job  # said again
    if job.state != "inprogress" or job.lease != said.lease:
        return "lease_lost"
    job = replace(job, updated=max(now, job.updated + 1))
    match said:
        case Complete():
            return _completed(job, said)
        case Fail():
            return _failed(job, said, queue, now)
        case Release():
            return _released(job, said, now)
        case Extend():
            most = job.more.started + job.more.timeout if job.more.timeout else now + said.by
            return replace(job, lease_ends=min(now + said.by, most))
        case Progress():
            return replace(job, extra=replace(job.more, progress=said.progress))
        case _:
            assert_never(said)


def _completed(job: Job, said: Complete) -> Job:
    extra = job.extra
    if extra is not None or said.result is not None:
        result = None if said.result is None else plain_value(said.result)
        extra = at_rest(replace(job.more, result=result))
    return replace(job, state=State.COMPLETE, lease_ends=0, extra=extra)


def _failed(job: Job, said: Fail, queue: Queue, now: int) -> Job:
    failure = Failure(job.attempt, now, Reason.ERROR, said.kind, said.text[:FAILURE_TEXT_MOST], job.worker)
    result = None if said.result is None else plain_value(said.result)
    extra = replace(with_record(job, failure), result=result)
    if extra.is_to_stop:
        return _ended(job, extra, Reason.STOPPED)
    wants = said.retry is not False  # no queue here has rules for kinds of error
    delay = said.delay
    if delay is None:
        delay = (job.more.backoff or queue.backoff).delay(attempt=job.attempt, uid=job.uid)
    if not wants or job.attempt >= attempts_most(job, queue) or now + delay >= job.expires:
        return _ended(job, extra, Reason.ERROR)
    return _put_back(job, replace(extra, not_before=now + delay if delay else 0))


def _released(job: Job, said: Release, now: int) -> Job:
    if said.saved is not None:
        job = replace(job, extra=replace(job.more, saved=plain_value(said.saved)))
    if job.more.is_to_stop:
        is_left = said.saved is not None or (said.is_unseen and job.more.saved is not None)
        if is_left and now < job.expires:  # somebody has to end that
            put_back = _put_back(job, replace(job.more, halted=False))
            return replace(put_back, attempt=job.attempt - 1)
        return _ended(job, job.more, Reason.STOPPED)
    if job.expires <= now:
        return _ended(job, job.more, Reason.EXPIRED)
    extra = replace(job.more, not_before=now + said.delay) if said.delay else job.extra
    return replace(_put_back(job, extra), attempt=job.attempt - 1)


def _ended(job: Job, extra: Extra, reason: Reason) -> Job:
    return replace(job, state=State.FAILED, lease_ends=0, extra=at_rest(replace(extra, reason=reason)))


def _put_back(job: Job, extra: Extra | None) -> Job:
    return replace(job, state=State.QUEUED, lease_ends=0, claimer=None, worker=None, lease=0, extra=extra)
