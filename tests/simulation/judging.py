"""Is an answer the one that the plainest broker gives? Written from the documents and not from the rules."""

from collections.abc import Sequence
from typing import assert_never

from msgspec import UNSET

from jobengine.errors import JobEngineError
from jobengine.model.blob import length_of
from jobengine.model.changes import AlterJob, AppendLog, Change, DropJob, MoveJob, PutJob, altered, moved
from jobengine.model.commands import (
    Act,
    Amend,
    Claim,
    ClaimAny,
    Command,
    Configure,
    Control,
    Create,
    Created,
    Draft,
    Log,
    Settle,
    Steer,
    Sweep,
    Update,
)
from jobengine.model.job import NEVER, Job
from tests.engine.reference import Plain, Reference, Refused
from tests.simulation.book import Book, plain_job, plain_value
from tests.simulation.passing import key_holder, present, ready
from tests.simulation.settling import wrong_settlements

CONTROLLED = {  # what may be done to a job in which state, and the state that it has then
    Act.STOP: {"queued": "failed", "inprogress": "inprogress"},
    Act.HALT: {"queued": "queued", "inprogress": "inprogress"},
    Act.RESUME: {"queued": "queued", "inprogress": "inprogress"},
    Act.RETRY: {"queued": "queued", "complete": "queued", "failed": "queued"},
    Act.MOVE: {"queued": "queued", "complete": "complete", "failed": "failed"},
    Act.CLONE: dict.fromkeys(("queued", "inprogress", "complete", "failed"), "queued"),
    Act.REDRIVE: {"queued": "queued", "complete": "queued", "failed": "queued"},
}


def wrong(  # noqa: C901  # a table
    book: Book, command: Command, answer: object, changes: Sequence[Change], now: int
) -> str:
    """What is wrong with this answer, in a book that holds what was before it; nothing when it is right."""
    expected = refusal(book, command, now)
    if expected:
        return f"it was accepted, and not refused: {expected}"
    match command:
        case Create():
            assert isinstance(answer, Created)
            return _wrong_create(book, command, answer, now) or _wrong_drops(book, command, answer, changes)
        case Claim() | ClaimAny():
            assert isinstance(answer, tuple)
            return _wrong_claim(book, command, answer, now)
        case Settle():
            assert isinstance(answer, tuple)
            return wrong_settlements(book, command, answer, now)
        case Update():
            return _wrong_update(book, command, answer, now)
        case Amend():
            return _wrong_amend(book, command, answer, now)
        case Control():
            assert isinstance(answer, tuple)
            return _wrong_control(book, command, answer, now)
        case Sweep():
            return _wrong_sweep(book, changes, now)
        case Log():
            return _wrong_log(book, command, changes)
        case Steer() | Configure():
            return ""
        case _:
            assert_never(command)


def refusal(book: Book, command: Command, now: int) -> str:
    """The code with which the whole command is to be refused; nothing when it is to be accepted."""
    names = [name for name, _ in command.weights] if isinstance(command, ClaimAny) else []
    if isinstance(command, Create | Claim | Settle | Update | Amend | Control | Steer | Log):
        names = [command.queue]
    if isinstance(command, Control) and command.target is not None:
        names.append(command.target)
    if any(name not in book.queues for name in names):
        return "not_found"
    match command:
        case Create():
            return _refusal_of_create(book, command, now)
        case Update(queue, uid):
            return "not_found" if present(book, queue, uid, now) is None else _update(book, command, now)[1]
        case Log(queue, uid):
            return _refusal_of_log(book, command, present(book, queue, uid, now))
        case Amend(queue, uid):
            return _refusal_of_amend(command, present(book, queue, uid, now))
        case _:
            return ""


def _refusal_of_create(book: Book, command: Create, now: int) -> str:
    known = None if command.idempotency is None else book.keys.get(command.idempotency.hash)
    if known is not None and command.idempotency is not None:
        return "" if known.body == command.idempotency.body else "idempotency_key_reused"
    queue = book.queues[command.queue]
    if queue.is_draining:
        return "bad_state"
    return ""


def _refusal_of_amend(command: Amend, job: Job | None) -> str:
    if job is None:
        return "not_found"
    if command.version not in (None, job.updated):
        return "version_changed"
    return "bad_state" if command.not_before is not UNSET and job.state != "queued" else ""


def _refusal_of_log(book: Book, command: Log, job: Job | None) -> str:
    if job is None:
        return "not_found"
    if job.state != "inprogress" or job.lease != command.lease:
        return "lease_lost"
    most = 1.25 * book.queues[command.queue].log_bytes
    return "log_full" if _kept_with(book, command, job.epoch) > most else ""


def _kept_with(book: Book, command: Log, epoch: int) -> int:
    """How many bytes are kept when this is written, too."""
    log = book.logs.get((command.queue, command.uid))
    if log is None or log.epoch != epoch:
        return length_of(command.data)
    known = max(0, log.end(command.stream) - command.offset)
    new = length_of(command.data) - known
    return log.bytes + new if new > 0 else 0


def _wrong_log(book: Book, command: Log, changes: Sequence[Change]) -> str:
    told = [change for change in changes if isinstance(change, AppendLog)]
    if len(told) > 1 or any((each.queue, each.uid) != (command.queue, command.uid) for each in told):
        return "it wrote more than it was told"
    for each in told:
        if isinstance(each.chunk.data, bytes) and not plain_value(command.data).endswith(each.chunk.data):
            return "it wrote something else"
    return ""


def _wrong_create(book: Book, command: Create, answer: Created, now: int) -> str:
    known = None if command.idempotency is None else book.keys.get(command.idempotency.hash)
    if known is not None:
        told = {*(job.uid for job in answer.jobs), *answer.gone}
        return "" if told == set(known.each_uid()) else f"the key made {list(known.each_uid())}"
    if len(answer.jobs) != len(command.drafts):
        return "it made another number of jobs"
    earlier: dict[str, Job] = {}
    for place, (draft, job) in enumerate(zip(command.drafts, answer.jobs, strict=True)):
        there = earlier.get(job.uid) or present(book, command.queue, job.uid, now)
        if (there is not None) != (place in answer.known or _replaces(draft, there)):
            return f"{job.uid} was there, or was not, and the answer says otherwise"
        if there is None and (wrong := _wrong_new(book, command, draft, job, now)):
            return wrong
        if there is not None and not _is_meant(draft, there):
            return f"{job.uid} is another job than the one that was meant"
        earlier[job.uid] = job
    return ""


def _wrong_drops(book: Book, command: Create, answer: Created, changes: Sequence[Change]) -> str:
    """A full queue lets the last in its order go, but none that the answer tells of."""
    told = {job.uid for job in answer.jobs}
    dropped = {change.uid for change in changes if isinstance(change, DropJob)}
    if dropped & told:
        return "it dropped a job that it tells of"
    jobs = book.jobs[command.queue].items()
    waiting = {uid: job for uid, job in jobs if job.state == "queued" and uid not in told}
    kept = max((job.order for uid, job in waiting.items() if uid not in dropped), default=0)
    first = min((waiting[uid].order for uid in dropped), default=kept)
    return "" if first >= kept else "it dropped another job than the last"


def _replaces(draft: Draft, there: Job | None) -> bool:
    return there is not None and draft.options is not None and draft.options.replaces


def _is_meant(draft: Draft, there: Job) -> bool:
    options = draft.options
    key = there.more.unique and there.more.unique.key
    return options is not None and (options.uid == there.uid or options.unique_key == key is not None)


def _wrong_new(book: Book, command: Create, draft: Draft, job: Job, now: int) -> str:
    options = draft.options
    expires = NEVER if draft.valid_for is None else now + draft.valid_for
    shown = (job.state, job.priority, plain_value(job.content), job.created, job.expires, job.attempt)
    if shown != ("queued", draft.priority, plain_value(draft.content), now, expires, 0):
        return f"{job} is not what was asked for"
    if options is None:
        return "" if job.extra is None else f"{job} has what nobody asked for"
    if options.unique_key is not None and key_holder(book, command.queue, options.unique_key, now):
        return f"{job.uid} is new, and another job has its unique key"
    if options.uid not in (None, job.uid):
        return f"{job.uid} was to have another uid"
    if job.more.not_before != (now + options.delay if options.delay else 0):
        return f"{job.uid} waits until {job.more.not_before}"
    asked = (options.max_attempts, options.timeout, options.backoff, options.tags)
    extra = job.more
    same = asked == (extra.max_attempts, extra.timeout, extra.backoff, extra.tags)
    return "" if same else f"{job} has not the options that it was to have"


def _wrong_claim(book: Book, command: Claim | ClaimAny, answer: Sequence[Job], now: int) -> str:
    queues = [command.queue] if isinstance(command, Claim) else [name for name, _ in command.weights]
    waiting = {queue: ready(book, queue, now) for queue in queues}
    expected = min(command.most, sum(map(len, waiting.values())))
    if len(answer) != expected:
        return f"{len(answer)} jobs were handed out, and not {expected}"
    for queue, jobs in waiting.items():
        got = [job for job in answer if job.queue == queue]
        for job, first in zip(got, jobs, strict=False):
            if wrong := _wrong_lease(book, command, first, job, now):
                return wrong
    return ""


def _wrong_lease(book: Book, command: Claim | ClaimAny, first: Job, job: Job, now: int) -> str:
    lease = command.lease or book.queues[job.queue].lease
    lease = min(lease, first.more.timeout or lease)
    held = (job.uid, job.state, job.claimer, job.worker, job.attempt, job.epoch, job.lease_ends)
    worker = command.worker
    if held != (
        *(first.uid, "inprogress", command.claimer, worker),
        *(first.attempt + 1, first.epoch + 1, now + lease),
    ):
        return f"{job} was handed out, and {first} comes first"
    return "" if job.more.not_before <= now and not job.more.progress else f"{job} is not ready"


def _update(book: Book, command: Update, now: int) -> tuple[Plain | None, str]:
    """What the plainest broker of API v1 makes of this one job, and the code of its refusal."""
    job = present(book, command.queue, command.uid, now)
    assert job is not None
    reference = Reference(now)
    reference.queues = {command.queue: book.queues[command.queue]}
    reference.jobs = {command.queue: {job.uid: _plain(job)}}
    content = None if command.content is None else plain_value(command.content)
    try:
        return reference.update(
            *(command.queue, command.uid, command.caller, command.may_write),
            state=command.state,
            content=content,
            expires=command.expires,
            priority=command.priority,
        ), ""
    except Refused as refused:
        return None, str(refused)


def _wrong_update(book: Book, command: Update, answer: object, now: int) -> str:
    expected, _ = _update(book, command, now)
    assert isinstance(answer, Job)
    assert expected is not None
    same = _shown(_plain(plain_job(answer))) == _shown(expected)
    return "" if same else f"it is {answer}, and not {expected}"


def _plain(job: Job) -> Plain:
    assert isinstance(job.content, bytes)
    return Plain(
        *(job.uid, job.content, job.priority, job.created, job.updated, job.expires, job.arrival),
        *(job.state.value, job.lease_ends, job.attempt, job.claimer),
        stopping=job.more.is_to_stop,
    )


def _shown(job: Plain) -> tuple[object, ...]:
    return job.content, job.priority, job.expires, job.status, job.lease_ends, job.attempt, job.claimer


def _wrong_amend(book: Book, command: Amend, answer: object, now: int) -> str:
    job = present(book, command.queue, command.uid, now)
    assert job is not None
    assert isinstance(answer, Job)
    named = {
        "content": None if command.content is UNSET else plain_value(command.content),
        "priority": command.priority,
        "expires": command.expires,
    }
    for name, value in named.items():
        expected = getattr(job, name) if value is UNSET or value is None else value
        if getattr(plain_job(answer), name) != expected:
            return f"its {name} is {getattr(answer, name)!r}, and not {expected!r}"
    kept = (job.state, job.attempt, job.epoch, job.lease, job.lease_ends)
    if kept != (answer.state, answer.attempt, answer.epoch, answer.lease, answer.lease_ends):
        return f"{answer} has changed more than was asked"
    return ""


def _wrong_control(book: Book, command: Control, answer: Sequence[object], now: int) -> str:
    versions = dict(zip(command.uids, command.versions, strict=True)) if command.versions else {}
    for uid, outcome in zip(dict.fromkeys(command.uids), answer, strict=True):
        job = present(book, command.queue, uid, now)
        if isinstance(outcome, JobEngineError):
            if outcome.code == "not_found" and job is not None:
                return f"{uid} is there"
            if outcome.code == "version_changed" and job is not None and versions.get(uid) == job.updated:
                return f"{uid} is of that version"
        elif job is None:
            return f"{uid} is not there"
        elif versions.get(uid, job.updated) != job.updated:
            return f"{uid} is of another version"
        elif wrong := _wrong_act(command, job, outcome):
            return wrong
    return ""


def _wrong_act(command: Control, job: Job, outcome: object) -> str:
    assert isinstance(outcome, Job)
    if command.act is Act.DELETE:
        return "" if plain_job(outcome) == job else f"{job} was deleted as {outcome}"
    expected = CONTROLLED[command.act].get(job.state)
    if command.act is Act.STOP and job.more.saved is not None and not job.more.is_to_stop:
        expected = job.state  # what is left of it is to be ended first
    if outcome.state != expected:
        return f"{command.act} made {outcome.state} of one that was {job.state}"
    if command.target is not None and outcome.queue != command.target:
        return f"{job.uid} is not in {command.target}"
    return "" if outcome.uid == job.uid or command.act is Act.CLONE else f"{outcome} is another job"


def _wrong_sweep(book: Book, changes: Sequence[Change], now: int) -> str:
    """Sweeping does what time has done."""
    for change in changes:
        if isinstance(change, PutJob) and change.job.more.died_in is not None:
            continue  # a dead letter: see promises
        queue, uid, after = _swept(book, change)
        left = present(book, queue, uid, now)
        is_buried = after is None and left is not None and left.state == "failed"
        if left != after and not (is_buried and book.queues[queue].dead_letter):
            return f"swept: {change}, and it is {left}"
    return ""


def _swept(book: Book, change: Change) -> tuple[str, str, Job | None]:
    """Whose change that is, and the job after it."""
    match change:
        case MoveJob(queue, uid):
            return queue, uid, moved(book.jobs[queue][uid], change)
        case AlterJob(MoveJob(queue, uid)):
            return queue, uid, altered(book.jobs[queue][uid], change)
        case DropJob(queue, uid):
            return queue, uid, None
        case _:
            raise AssertionError(change)
