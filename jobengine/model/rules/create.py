"""New jobs."""

from collections.abc import Iterator

from msgspec.structs import replace

from jobengine.errors import BadState, KeyReused, QueueFull
from jobengine.model.blob import length_of
from jobengine.model.changes import Change, DropJob, DropKeys, PutJob, PutKey
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

_KEYS_A_TURN = 100  # that are forgotten with one new one: more than come, so that they do not pile up


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
    batch = _Batch(view, queue, moment)
    for draft in command.drafts:
        batch.add(draft)
    if not view.has_room_for(batch.bytes):
        raise QueueFull("the jobs take all the memory that limits.memory allows")
    changes = batch.changes
    if queue.max_jobs or queue.max_bytes:
        changes += _made_room(view, queue, batch.new)
    if command.idempotency is not None:
        changes += _remembered(view, command.idempotency, batch.jobs, moment)
    return Decision(tuple(changes), Created(tuple(batch.jobs), frozenset(batch.known)))


class _Batch:
    """The jobs of one command, each of which sees those before it."""

    def __init__(self, view: View, queue: Queue, moment: Moment) -> None:
        self.jobs: list[Job] = []
        self.new: list[Job] = []
        self.known: list[int] = []  # places of those that were there before
        self.changes: list[Change] = []
        self.bytes = 0  # of memory that they take
        self._view = view
        self._queue = queue
        self._moment = moment
        self._arrival = view.next_arrival
        self._by_uid: dict[str, Job] = {}
        self._by_key: dict[str, Job] = {}

    def add(self, draft: Draft) -> None:
        """Take in one more."""
        options = draft.options
        known = None if options is None else self._known(options)
        if known is not None and options is not None and options.replaces and known.state is State.QUEUED:
            known = self._replace(known, draft)
        if known is None:
            self._put(self._job(draft), options)
        else:
            self.known.append(len(self.jobs))
            self.jobs.append(known)

    def _known(self, options: Options) -> Job | None:
        """The job that is there already."""
        name, now = self._queue.name, self._moment.now
        if options.uid is not None:
            there = self._by_uid.get(options.uid) or self._view.job(name, options.uid)
            known = None if there is None else as_of(there, self._queue, now)
            if known is not None:
                return known
        if options.unique_key is None:
            return None
        return self._by_key.get(options.unique_key) or unique_holder(
            self._view, self._queue, options.unique_key, now
        )

    def _job(self, draft: Draft) -> Job:
        now, options = self._moment.now, draft.options
        number = len(self.new)
        uid = None if options is None else options.uid
        return Job(
            uid or self._moment.uid(number),
            self._queue.name,
            after(State.GONE, Event.CREATE),
            order_of(priority=draft.priority, arrival=self._arrival),
            draft.content,
            created=now,
            updated=now,
            expires=NEVER if draft.valid_for is None else now + draft.valid_for,
            extra=None if options is None else _extra(options, now),
        )

    def _put(self, job: Job, options: Options | None) -> None:
        self._arrival += 1
        self.bytes += weight(job)
        self.changes.append(PutJob(job))
        self.new.append(job)
        self.jobs.append(job)
        if options is not None:
            self._by_uid[job.uid] = job
            if options.unique_key is not None:
                self._by_key[options.unique_key] = job

    def _replace(self, known: Job, draft: Draft) -> Job:
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
            extra=made.extra,
        )
        self.bytes += weight(job) - weight(known)
        self.changes.append(PutJob(job))
        self._by_uid[job.uid] = job
        if draft.options is not None and draft.options.unique_key is not None:
            self._by_key[draft.options.unique_key] = job
        return job


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
    return Created(tuple(jobs), frozenset(range(len(jobs))), tuple(gone))


def _remembered(view: View, idempotency: Idempotency, jobs: list[Job], moment: Moment) -> Iterator[Change]:
    outdated = view.outdated_keys(moment.now, _KEYS_A_TURN, room_for=1)
    if outdated is not None:
        yield DropKeys(outdated)
    yield PutKey(
        Key.of(idempotency.hash, view.next_key, moment.now, idempotency.body, [job.uid for job in jobs])
    )


def _made_room(view: View, queue: Queue, new: list[Job]) -> list[Change]:
    """What must go so that the new jobs fit into the queue's limits. Raises QueueFull."""
    waiting = view.waiting(queue.name)
    surplus = waiting.jobs + len(new) - queue.max_jobs if queue.max_jobs else 0
    surplus_bytes = 0
    if queue.max_bytes:
        surplus_bytes = waiting.bytes + sum(length_of(job.content) for job in new) - queue.max_bytes
    changes: list[Change] = []
    lowest = view.lowest_first(queue.name)
    first_of_new = max((job.order for job in new), default=0)
    while surplus > 0 or surplus_bytes > 0:
        last = next(lowest, None) if queue.when_full is WhenFull.DROP_LOWEST else None
        if last is None or last.order < first_of_new:
            raise QueueFull(f"the queue is full: see max_jobs and max_bytes of {queue.name}")
        changes.append(DropJob(queue.name, last.uid))
        surplus, surplus_bytes = surplus - 1, surplus_bytes - length_of(last.content)
    return changes
