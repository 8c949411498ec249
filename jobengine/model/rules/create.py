"""New jobs."""

from collections.abc import Iterator
from itertools import count
from typing import Final

from msgspec.structs import replace

from jobengine.errors import BadState, KeyReused, QueueFull
from jobengine.model.blob import length_of
from jobengine.model.changes import Change, DropJob, DropKeys, DropLog, PutJob, PutKey
from jobengine.model.commands import Answer, Create, Created, Draft, Idempotency, Options
from jobengine.model.decision import Decision
from jobengine.model.extra import Extra, Unique, UniqueFor
from jobengine.model.job import NEVER, Job, order_of, weight
from jobengine.model.keys import Key
from jobengine.model.moment import Moment
from jobengine.model.queue import Queue, WhenFull
from jobengine.model.rules.passing import as_of, touched, unique_holder
from jobengine.model.states import Event, State, after
from jobengine.model.view import View

_CREATED: Final = after(State.GONE, Event.CREATE)
_KEYS_A_TURN: Final = 100  # that are forgotten with one new one: more than come, so that they do not pile up


def create(view: View, command: Create, moment: Moment) -> Decision[Answer]:
    """Put the jobs behind those of their priority, all or none.

    Raises NotFound, QueueFull, BadState, KeyReused.
    """
    queue = view.queue(command.queue)
    if command.idempotency is not None:
        key = view.key(command.idempotency.hash, moment.now)
        if key is not None:
            return Decision((), _again(view, queue, key, command.idempotency, moment))
    if queue.is_draining:
        raise BadState("the queue is being drained: it takes no more jobs")
    is_limited = bool(queue.max_jobs or queue.max_bytes)
    drafts = command.drafts
    if command.idempotency is None and not is_limited:  # what API v1 asks, and most others
        if len(drafts) == 1 and drafts[0].options is None:
            return _create_one(view, queue, drafts[0], moment)
        if all(map(_is_plain, drafts)):
            return _create_plain(view, queue, drafts, moment)
    batch = _Batch(view, queue, moment, most=len(drafts))
    for draft in drafts:
        batch.add(draft)
    _check_memory(view, batch.bytes)
    changes = batch.changes
    if is_limited:
        changes += _made_room(view, queue, batch)
    if command.idempotency is not None:
        changes += _remembered(view, command.idempotency, batch.jobs, moment)
    return Decision(tuple(changes), Created(tuple(batch.jobs), frozenset(batch.known)))


def _is_plain(draft: Draft) -> bool:
    return draft.options is None


def _create_one(view: View, queue: Queue, draft: Draft, moment: Moment) -> Decision[Answer]:
    job = _new_job(draft, moment.uid(), view.next_arrival, queue, moment.now)
    _check_memory(view, weight(job))
    return Decision((PutJob(job),), Created((job,)))


def _create_plain(view: View, queue: Queue, drafts: tuple[Draft, ...], moment: Moment) -> Decision[Answer]:
    uids, arrivals, now = moment.uids(len(drafts)), count(view.next_arrival), moment.now
    jobs = tuple([_new_job(*each, queue, now) for each in zip(drafts, uids, arrivals, strict=False)])
    _check_memory(view, sum(map(weight, jobs)))
    return Decision(tuple(map(PutJob, jobs)), Created(jobs))


def _new_job(draft: Draft, uid: str, arrival: int, queue: Queue, now: int) -> Job:
    valid_for, options = draft.valid_for, draft.options
    return Job(
        uid,
        queue.name,
        _CREATED,
        order_of(priority=draft.priority, arrival=arrival),
        draft.content,
        now,
        now,
        NEVER if valid_for is None else now + valid_for,
        extra=None if options is None else _extra(options, now),
    )


def _check_memory(view: View, extra_bytes: int) -> None:
    if not view.has_room_for(extra_bytes):
        raise QueueFull("the jobs take all the memory that limits.memory allows")


class _Batch:
    """The jobs of one command, each of which sees those before it."""

    def __init__(self, view: View, queue: Queue, moment: Moment, *, most: int) -> None:
        self.jobs: list[Job] = []
        self.new: list[Job] = []
        self.known: list[int] = []  # places of those that were there before
        self.changes: list[Change] = []
        self.bytes = 0  # of memory that they take
        self.content_bytes = 0  # by which the contents of those that wait grow
        self.last_order = 0  # of those that are put, the last in the queue's order
        self._view = view
        self._queue = queue
        self._moment = moment
        self._arrival = view.next_arrival
        self._uids = iter(moment.uids(most))
        self._by_uid: dict[str, Job] = {}
        self._by_key: dict[str, Job] = {}

    def add(self, draft: Draft) -> None:
        """Take in one more."""
        options = draft.options
        known = None if options is None else self._known(options, draft)
        if known is None:
            self._put(self._job(draft), options)
        else:
            self.known.append(len(self.jobs))
            self.jobs.append(known)

    def _known(self, options: Options, draft: Draft) -> Job | None:
        """The job that is there already."""
        same = self._same(options.uid)
        if same is not None or options.unique_key is None:
            return same
        holder = self._by_key.get(options.unique_key) or unique_holder(
            self._view, self._queue, options.unique_key, self._moment.now
        )
        if holder is not None and options.replaces and holder.state is State.QUEUED:
            return self._replace(holder, draft, options.unique_key)
        return holder

    def _same(self, uid: str | None) -> Job | None:
        """The job that an earlier request with this uid made."""
        if uid is None:
            return None
        there = self._by_uid.get(uid) or self._view.job(self._queue.name, uid)
        return None if there is None else as_of(there, self._queue, self._moment.now)

    def _job(self, draft: Draft) -> Job:
        uid = None if draft.options is None else draft.options.uid
        return _new_job(draft, uid or next(self._uids), self._arrival, self._queue, self._moment.now)

    def _put(self, job: Job, options: Options | None) -> None:
        self._arrival += 1
        self.bytes += weight(job)
        self.content_bytes += length_of(job.content)
        self.last_order = max(self.last_order, job.order)
        if options is not None:
            self._forget_log(job)  # of one with its uid that is gone
        self.changes.append(PutJob(job))
        self.new.append(job)
        self.jobs.append(job)
        if options is not None:
            self._by_uid[job.uid] = job
            if options.unique_key is not None:
                self._by_key[options.unique_key] = job

    def _replace(self, known: Job, draft: Draft, key: str) -> Job:
        """The waiting job, as the draft says. It keeps its uid, and its place unless its priority changes."""
        made = self._job(draft)
        order = known.order
        if known.priority != draft.priority:
            order = made.order
            self._arrival += 1
        job = replace(
            known,
            order=order,
            content=made.content,
            updated=touched(known, self._moment.now),
            expires=made.expires,
            lease_ends=0,
            attempt=0,
            claimer=None,
            worker=None,
            lease=0,
            extra=made.extra,
        )
        self.bytes += weight(job) - weight(known)
        self.content_bytes += length_of(job.content) - length_of(known.content)
        self.last_order = max(self.last_order, job.order)
        self._forget_log(known)
        self.changes.append(PutJob(job))
        self._by_uid[job.uid] = job
        self._by_key[key] = job
        return job

    def _forget_log(self, job: Job) -> None:
        if self._view.log(job.queue, job.uid) is not None:
            self.changes.append(DropLog(job.queue, job.uid))


def _extra(options: Options, now: int) -> Extra | None:
    not_before = max(options.not_before, now + options.delay if options.delay else 0)
    extra = Extra(
        not_before=not_before if not_before > now else 0,
        max_attempts=options.max_attempts,
        timeout=options.timeout,
        backoff=options.backoff,
        tags=options.tags,
        unique=_unique(options, now),
    )
    return None if extra == Extra() else extra


def _unique(options: Options, now: int) -> Unique | None:
    if options.unique_key is None:
        return None
    until = now + options.unique_window if options.unique_for is UniqueFor.WINDOW else 0
    return Unique(options.unique_key, options.unique_for, until)


def _again(view: View, queue: Queue, key: Key, idempotency: Idempotency, moment: Moment) -> Created:
    """What the first request with this key was answered, as far as its jobs are still there."""
    if key.body != idempotency.body:
        raise KeyReused
    jobs: list[Job] = []
    gone: list[str] = []
    for uid in key.each_uid():
        stored = view.job(queue.name, uid)
        job = None if stored is None else as_of(stored, queue, moment.now)
        if job is None:
            gone.append(uid)
        else:
            jobs.append(job)
    first_answer = tuple(key.each_uid()) if gone else ()
    return Created(tuple(jobs), frozenset(range(len(jobs))), tuple(gone), first_answer)


def _remembered(view: View, idempotency: Idempotency, jobs: list[Job], moment: Moment) -> Iterator[Change]:
    outdated = view.outdated_keys(moment.now, _KEYS_A_TURN, room_for=1)
    if outdated is not None:
        yield DropKeys(outdated)
    yield PutKey(
        Key.of(idempotency.hash, view.next_key, moment.now, idempotency.body, [job.uid for job in jobs])
    )


def _made_room(view: View, queue: Queue, batch: _Batch) -> list[Change]:
    """What must go so that the jobs fit into the queue's limits. Raises QueueFull."""
    waiting = view.waiting(queue.name)
    surplus = waiting.jobs + len(batch.new) - queue.max_jobs if queue.max_jobs and batch.new else 0
    surplus_bytes = 0
    if queue.max_bytes and batch.content_bytes > 0:
        surplus_bytes = waiting.bytes + batch.content_bytes - queue.max_bytes
    changes: list[Change] = []
    lowest = _droppable(view, queue, batch)
    while surplus > 0 or surplus_bytes > 0:
        last = next(lowest, None)
        if last is None:
            raise QueueFull(f"the queue is full: see max_jobs and max_bytes of {queue.name}")
        changes.append(DropJob(queue.name, last.uid))
        surplus, surplus_bytes = surplus - 1, surplus_bytes - length_of(last.content)
    return changes


def _droppable(view: View, queue: Queue, batch: _Batch) -> Iterator[Job]:
    """The waiting jobs, the last first, that every job of the batch stands before."""
    if queue.when_full is WhenFull.REFUSE:
        return
    mine = {job.uid for job in batch.jobs}
    for job in view.lowest_first(queue.name):
        if job.order < batch.last_order:
            return
        if job.uid not in mine:
            yield job
