"""Change ↔ bytes. A body is a version byte and a MessagePack array of records (records.py)."""

import sys
from collections.abc import Iterable
from typing import Final, assert_never

from msgspec import DecodeError
from msgspec.msgpack import Decoder, Encoder
from msgspec.structs import replace

from jobengine.errors import Damaged
from jobengine.journal.blobs import BlobPlaces
from jobengine.journal.records import (
    AlterJobRecord,
    AppendLogRecord,
    BlobRecord,
    DropJobRecord,
    DropKeysRecord,
    DropLogRecord,
    DropQueueRecord,
    MoveJobRecord,
    PutJobRecord,
    PutKeyRecord,
    PutQueueRecord,
    Record,
)
from jobengine.model.blob import Blob
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
)
from jobengine.model.extra import Extra
from jobengine.model.job import Job
from jobengine.model.keys import Key
from jobengine.model.log import Chunk, Stream
from jobengine.model.queue import Queue
from jobengine.model.states import State

_VERSION: Final = 1
_ARRAY: Final = bytes((_VERSION, 0xDD))  # 0xDD and four bytes of length: a MessagePack array

# A stored number is a place in this order: it never changes, it only grows.
_STATES: Final = dict(enumerate((State.QUEUED, State.INPROGRESS, State.COMPLETE, State.FAILED)))
_STATE_NUMBERS: Final = {state: number for number, state in _STATES.items()}

_STREAMS: Final = dict(enumerate((Stream.OUT, Stream.ERR)))
_STREAM_NUMBERS: Final = {stream: number for number, stream in _STREAMS.items()}


class ChangeEncoder:
    """Makes records of changes.

    A name keeps its number, also when its queue is dropped or the record never came to the disk: so nothing
    needs to be undone here.
    """

    def __init__(self, numbers: dict[str, int] | None = None, places: BlobPlaces | None = None) -> None:
        self.places = places or BlobPlaces()
        self._numbers = dict(numbers or {})
        self._next_number = max(self._numbers.values(), default=-1) + 1
        self._encoder = Encoder()

    def encode(self, changes: Iterable[Change]) -> bytes:
        """The records of these changes, one behind the other."""
        return b"".join([self._encoder.encode(self._record(change)) for change in changes])

    def _record(self, change: Change) -> Record:  # noqa: C901  # a table
        match change:
            case PutJob():
                return self._put_job(change.job)
            case MoveJob():
                return self._move_job(change)
            case AlterJob():
                return AlterJobRecord(self._move_job(change.move), self._extra(change.extra))
            case DropJob():
                return DropJobRecord(self._numbers[change.queue], change.uid)
            case PutQueue():
                return self._put_queue(change.queue)
            case DropQueue():
                return DropQueueRecord(self._numbers[change.name])
            case PutKey(key):
                return PutKeyRecord(key.hash, key.number, key.time, key.body, key.uids)
            case DropKeys():
                return DropKeysRecord(change.number)
            case AppendLog():
                return self._append_log(change)
            case DropLog():
                return DropLogRecord(self._numbers[change.queue], change.uid)
            case _:
                assert_never(change)

    def _put_job(self, job: Job) -> PutJobRecord:
        content = job.content
        return PutJobRecord(
            self._numbers[job.queue],
            job.uid,
            _STATE_NUMBERS[job.state],
            job.order,
            content if isinstance(content, bytes) else self._blob(content),
            job.created,
            job.updated,
            job.expires,
            job.lease_ends,
            job.attempt,
            job.claimer,
            job.worker,
            job.epoch,
            job.lease,
            None if job.extra is None else self._extra(job.extra),
        )

    def _append_log(self, change: AppendLog) -> AppendLogRecord:
        chunk = change.chunk
        return AppendLogRecord(
            self._numbers[change.queue],
            change.uid,
            change.epoch,
            _STREAM_NUMBERS[chunk.stream],
            chunk.offset,
            chunk.data if isinstance(chunk.data, bytes) else self._blob(chunk.data),
        )

    def _blob(self, blob: Blob) -> BlobRecord:
        return BlobRecord(blob.length, blob.digest, self.places.offsets(blob))

    def _extra(self, extra: Extra | None) -> Extra | None:
        """With the places that its big values have in this file."""
        if extra is None or not (isinstance(extra.result, Blob) or isinstance(extra.saved, Blob)):
            return extra
        return replace(extra, result=self._placed(extra.result), saved=self._placed(extra.saved))

    def _placed(self, value: bytes | Blob | None) -> bytes | Blob | None:
        if not isinstance(value, Blob):
            return value
        return replace(value, offsets=self.places.offsets(value), generation=0)

    def _move_job(self, change: MoveJob) -> MoveJobRecord:
        return MoveJobRecord(
            self._numbers[change.queue],
            change.uid,
            _STATE_NUMBERS[change.state],
            change.order,
            change.updated,
            change.expires,
            change.lease_ends,
            change.attempt,
            change.claimer,
            change.worker,
            change.epoch,
            change.lease,
        )

    def _put_queue(self, queue: Queue) -> PutQueueRecord:
        if queue.name not in self._numbers:
            self._numbers[queue.name] = self._next_number
            self._next_number += 1
        plain = Queue(queue.name, queue.keep, queue.lease, queue.max_attempts)
        return PutQueueRecord(
            self._numbers[queue.name],
            queue.name,
            queue.keep,
            queue.lease,
            queue.max_attempts,
            None if queue == plain else queue,
        )


class ChangeDecoder:
    """Makes changes of records, in the order in which they were written."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._decoder: Decoder[list[Record]] = Decoder(list[Record])

    def decode(self, body: bytes) -> list[Change]:
        """The changes that a body holds. Raises Damaged."""
        if body[:1] != _ARRAY[:1]:
            raise Damaged("records of a version that this program does not know")
        try:
            records = self._decoder.decode(memoryview(body)[1:])
            job, change = self._job, self._change  # a short way for what most of a file is
            return [PutJob(job(each)) if type(each) is PutJobRecord else change(each) for each in records]
        except (DecodeError, UnicodeDecodeError, KeyError) as error:
            raise Damaged(f"records that do not make sense: {type(error).__name__}") from None

    def encoder(self) -> ChangeEncoder:
        """An encoder that goes on where these records ended."""
        return ChangeEncoder({name: number for number, name in self._names.items()})

    def _change(self, record: Record) -> Change:  # noqa: C901  # a table
        match record:
            case PutJobRecord():
                return PutJob(self._job(record))
            case MoveJobRecord():
                return self._move_job(record)
            case AlterJobRecord():
                return AlterJob(self._move_job(record.move), record.extra)
            case DropJobRecord():
                return DropJob(self._names[record.queue], record.uid)
            case PutQueueRecord():
                return self._put_queue(record)
            case DropQueueRecord():
                return DropQueue(self._names[record.queue])
            case PutKeyRecord():
                return PutKey(Key(record.hash, record.number, record.time, record.body, record.uids))
            case DropKeysRecord():
                return DropKeys(record.number)
            case AppendLogRecord():
                chunk = Chunk(_STREAMS[record.stream], record.offset, _value(record.data))
                return AppendLog(self._names[record.queue], record.uid, record.epoch, chunk)
            case DropLogRecord():
                return DropLog(self._names[record.queue], record.uid)
            case _:
                assert_never(record)

    def _job(self, record: PutJobRecord) -> Job:
        content, created, updated, claimer = record.content, record.created, record.updated, record.claimer
        return Job(
            record.uid,
            self._names[record.queue],
            _STATES[record.state],
            record.order,
            content if isinstance(content, bytes) else _value(content),
            created,
            created if updated == created else updated,  # one number, not two
            record.expires,
            record.lease_ends,
            record.attempt,
            claimer if claimer is None else sys.intern(claimer),  # one string for all of its jobs
            None if record.worker is None else sys.intern(record.worker),
            record.epoch,
            record.lease,
            record.extra,
        )

    def _move_job(self, record: MoveJobRecord) -> MoveJob:
        return MoveJob(
            self._names[record.queue],
            record.uid,
            _STATES[record.state],
            record.order,
            record.updated,
            record.expires,
            record.lease_ends,
            record.attempt,
            None if record.claimer is None else sys.intern(record.claimer),
            None if record.worker is None else sys.intern(record.worker),
            record.epoch,
            record.lease,
        )

    def _put_queue(self, record: PutQueueRecord) -> PutQueue:
        name = self._names.setdefault(record.number, record.name)
        if name != record.name:
            raise KeyError(record.number)
        return PutQueue(record.settings or Queue(name, record.keep, record.lease, record.max_attempts))


def _value(value: bytes | BlobRecord) -> bytes | Blob:
    return value if isinstance(value, bytes) else Blob(value.length, value.digest, value.offsets)


def body_of(records: bytes, count: int) -> bytes:
    """The body of a frame: so many records, encoded."""
    return b"".join((_ARRAY, count.to_bytes(4), records))
