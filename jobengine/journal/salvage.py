"""What is left of a file with damage in it: its jobs, and what can no longer be said of them."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final, assert_never

from msgspec import DecodeError, Struct
from msgspec.msgpack import Decoder, Encoder

from jobengine.errors import Damaged, Fatal
from jobengine.journal.codec import ChangeDecoder, body_of
from jobengine.journal.frame import FrameType
from jobengine.journal.inspection import Inspection
from jobengine.journal.reading import Reading
from jobengine.journal.records import AlterJobRecord, DropKeysRecord, PutKeyRecord, PutQueueRecord, Record
from jobengine.model.changes import (
    AlterJob,
    AppendLog,
    Change,
    DropJob,
    DropKeys,
    DropLog,
    DropQueue,
    MoveJob,
    PutJob,
    PutKey,
    PutQueue,
    altered,
    moved,
)
from jobengine.model.job import Job
from jobengine.model.keys import Keys
from jobengine.model.log import Chunk, JobLog
from jobengine.model.queue import Queue

_CHANGES: Final = frozenset((FrameType.CHANGES, FrameType.SNAPSHOT))
# Of a queue whose own record is lost, until the configuration says better at the next start.
_KEEP_MS: Final = 7 * 24 * 60 * 60 * 1000
_LEASE_MS: Final = 60 * 60 * 1000


class Name(Struct, frozen=True, order=True):
    """Which job it is."""

    queue: str
    uid: str


class Salvage:
    """Queues and jobs as changes make them, where some changes may be missing."""

    def __init__(self) -> None:
        self.queues: dict[str, Queue] = {}
        self.jobs: dict[Name, Job] = {}
        self.logs: dict[Name, JobLog] = {}
        self.keys = Keys()
        self.lost: set[Name] = set()  # named behind the damage; made within it
        self.uncertain: set[Name] = set()  # made before the damage, and not put anew behind it
        self.guessed: set[str] = set()  # queues whose settings are lost
        self.nameless: set[str] = set()  # stand-ins for names that are lost

    def gap(self) -> None:
        """Something is missing here: whatever there is may have changed."""
        self.uncertain = set(self.jobs)

    def replay(self, changes: Iterable[Change]) -> None:  # noqa: C901  # a table
        """Make these changes, as far as they make sense."""
        for change in changes:
            match change:
                case PutQueue(queue):
                    self.queues[queue.name] = queue
                    self.guessed.discard(queue.name)
                case DropQueue(name):
                    self._drop_queue(name)
                case PutJob(job):
                    self._put(job)
                case MoveJob(queue, uid):
                    self._move(Name(queue, uid), partial(moved, change=change))
                case AlterJob(MoveJob(queue, uid)):
                    self._move(Name(queue, uid), partial(altered, change=change))
                case DropJob(queue, uid):
                    self._forget(Name(queue, uid))
                case PutKey(key):
                    self.keys.put(key)
                case DropKeys(number):
                    self.keys.drop(number)
                case AppendLog(queue, uid, epoch, chunk):
                    self._append_log(Name(queue, uid), epoch, chunk)
                case DropLog(queue, uid):
                    self.logs.pop(Name(queue, uid), None)
                case _:
                    assert_never(change)

    def _put(self, job: Job) -> None:
        name = Name(job.queue, job.uid)
        log = self.logs.get(name)
        self._forget(name)
        if log is not None:
            self.logs[name] = log
        if job.queue not in self.queues:
            self.queues[job.queue] = Queue(job.queue, _KEEP_MS, _LEASE_MS)
            self.guessed.add(job.queue)
        self.jobs[name] = job

    def _move(self, name: Name, moved: Callable[[Job], Job]) -> None:
        if name in self.jobs:  # what it holds may still be older than what was answered
            self.jobs[name] = moved(self.jobs[name])
        else:
            self.lost.add(name)

    def _append_log(self, name: Name, epoch: int, chunk: Chunk) -> None:
        if name not in self.jobs:
            self.lost.add(name)
        log = self.logs.get(name)
        if log is None or log.epoch < epoch:
            log = JobLog(epoch)
        if log.epoch == epoch:
            self.logs[name] = log.appended(chunk)

    def _forget(self, name: Name) -> None:
        self.jobs.pop(name, None)
        self.logs.pop(name, None)
        self.lost.discard(name)
        self.uncertain.discard(name)

    def _drop_queue(self, queue: str) -> None:
        self.queues.pop(queue, None)
        self.guessed.discard(queue)
        for name in [name for name in (*self.jobs, *self.lost) if name.queue == queue]:
            self._forget(name)


def salvage(read: Reading, given: Mapping[str, str]) -> Salvage:
    """All that the authentic frames of a file still say.

    `given` are the names of queues whose own are lost, by their stand-ins. Raises Fatal for another.
    """
    found = Salvage()
    decoder = _decoder(read, given, found)
    inspection = Inspection(read, reads_blobs=False)
    gaps = 0
    for head, body in inspection.frames():
        if len(inspection.damages) > gaps:
            gaps = len(inspection.damages)
            found.gap()
        if head.type in _CHANGES:
            _replay(decoder, body, found)
    if inspection.missing_commits or (inspection.tail is not None and not inspection.is_torn):
        found.gap()
    return found


def _replay(decoder: ChangeDecoder, body: bytes, found: Salvage) -> None:
    try:
        found.replay(decoder.decode(body))
    except Damaged:
        found.gap()  # authentic, and yet without sense: as good as missing


def _decoder(read: Reading, given: Mapping[str, str], found: Salvage) -> ChangeDecoder:
    """One that knows the name of every queue, whose own record may be missing or come later."""
    names, nameless = _queues(read)
    if strange := given.keys() - nameless.values():
        raise Fatal(f"{min(strange)}: no queue of {read.path} lost its name and has this one instead")
    found.nameless = nameless.values() - given.keys()
    names |= {number: given.get(stand_in, stand_in) for number, stand_in in nameless.items()}
    decoder, encode = ChangeDecoder(), Encoder().encode
    named = [PutQueueRecord(number, name, 0, 0) for number, name in names.items()]
    decoder.decode(body_of(b"".join(map(encode, named)), len(named)))
    return decoder


def _queues(read: Reading) -> tuple[dict[int, str], dict[int, str]]:
    """The names of queues by their numbers, and stand-ins for those that are lost."""
    names: dict[int, str] = {}
    numbers: set[int] = set()
    records: Decoder[list[Record]] = Decoder(list[Record])
    for head, body in Inspection(read, reads_blobs=False).frames():
        if head.type not in _CHANGES:
            continue
        try:
            decoded = records.decode(memoryview(body)[1:])
        except DecodeError:
            continue
        names |= {each.number: each.name for each in decoded if isinstance(each, PutQueueRecord)}
        numbers.update(number for each in decoded if (number := _number(each)) is not None)
    return names, {number: f"queue-{number}" for number in numbers - names.keys()}


def _number(record: Record) -> int | None:
    """Of the queue that a record is about, where it names it by its number alone."""
    match record:
        case PutQueueRecord() | PutKeyRecord() | DropKeysRecord():
            return None
        case AlterJobRecord(move):
            return move.queue
        case _:
            return record.queue
