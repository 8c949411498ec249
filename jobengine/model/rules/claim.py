"""The first jobs, handed to the service that asks."""

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Final

from msgspec.structs import replace

from jobengine.model.blob import length_of
from jobengine.model.changes import change, move
from jobengine.model.commands import Answer, Claim, ClaimAny
from jobengine.model.decision import Decision
from jobengine.model.extra import Extra
from jobengine.model.job import Job
from jobengine.model.moment import Moment
from jobengine.model.queue import Queue
from jobengine.model.rules.passing import touched
from jobengine.model.states import Event, State, after
from jobengine.model.view import View

CONTENT_MOST_BYTES: Final = 8 * 1024 * 1024  # of the jobs of one answer: the one that reaches it is the last
_CLAIMED: Final = after(State.QUEUED, Event.CLAIM)  # only queued jobs are handed out


def claim(view: View, command: Claim, moment: Moment) -> Decision[Answer]:
    """Hand out the first jobs that are alive and ready, if there are any. Raises NotFound."""
    queue = view.queue(command.queue)
    if not queue.hands_out:
        return Decision((), ())
    if command.most == 1:  # what API v1 asks, and most others
        first = view.first_ready(command.queue, moment.now)
        if first is None:
            return Decision((), ())
        job = _handed_out(first, queue, command, moment.now, moment.lease())
        return Decision((move(job) if job.extra is first.extra else change(first, job),), (job,))
    return _hand_out(view, view.ready(command.queue, moment.now, command.most), command, moment)


def claim_any(view: View, command: ClaimAny, moment: Moment) -> Decision[Answer]:
    """Hand out jobs of several queues, drawn by their weights. Raises NotFound."""
    ready: dict[str, Iterator[Job]] = {}
    weights: dict[str, int] = {}
    for name, weight in command.weights:
        if view.queue(name).hands_out:
            ready[name] = iter(view.ready(name, moment.now, command.most))
            weights[name] = weight
    return _hand_out(view, _drawn(ready, weights, command.most, moment), command, moment)


def _drawn(
    ready: dict[str, Iterator[Job]], weights: dict[str, int], most: int, moment: Moment
) -> Iterator[Job]:
    draws = count()
    drawn = 0
    while weights and drawn < most:
        name = _draw(weights, moment.share(next(draws)))
        job = next(ready[name], None)
        if job is None:
            del weights[name]
        else:
            yield job
            drawn += 1


def _draw(weights: dict[str, int], share: float) -> str:
    place = share * sum(weights.values())
    for name, weight in weights.items():
        place -= weight
        if place < 0:
            return name
    return next(reversed(weights))


def _hand_out(view: View, jobs: Iterable[Job], command: Claim | ClaimAny, moment: Moment) -> Decision[Answer]:
    ready = list(_that_fit(jobs))
    handed = [
        _handed_out(job, view.queue(job.queue), command, moment.now, lease)
        for job, lease in zip(ready, moment.leases(len(ready)), strict=True)
    ]
    return Decision(tuple(map(change, ready, handed)), tuple(handed))


def _that_fit(jobs: Iterable[Job]) -> Iterator[Job]:
    """The first of them, as many as one answer should hold."""
    size = 0
    for job in jobs:
        yield job
        size += length_of(job.content)
        if size >= CONTENT_MOST_BYTES:
            return


def _handed_out(job: Job, queue: Queue, command: Claim | ClaimAny, now: int, lease_id: int) -> Job:
    lease = queue.lease if command.lease is None else command.lease
    extra = job.extra
    if extra is not None:
        extra = _begun(extra, now)
        lease = min(lease, extra.timeout or lease)
    return Job(  # all of them named: `replace` takes longer
        job.uid,
        job.queue,
        _CLAIMED,
        job.order,
        job.content,
        job.created,
        touched(job, now),
        job.expires,
        lease_ends=now + lease,
        attempt=job.attempt + 1,
        claimer=command.claimer,
        worker=command.worker,
        epoch=job.epoch + 1,
        lease=lease_id,
        extra=extra,
    )


def _begun(extra: Extra, now: int) -> Extra:
    """The extra of a job whose next attempt begins; the same one when nothing of it changes."""
    started = now if extra.timeout else 0
    if not (extra.not_before or started or extra.progress):
        return extra
    return replace(extra, not_before=0, started=started, progress=None)
