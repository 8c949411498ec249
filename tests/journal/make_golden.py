"""Makes the golden files: what this version writes, so that every later one goes on reading it.

Makes those that are missing, and leaves the others as they are: they are what earlier versions wrote.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec

from jobengine.journal.journal import Journal
from jobengine.journal.keys import Secret
from jobengine.model.backoff import Backoff, ErrorRule
from jobengine.model.blob import Blob
from jobengine.model.changes import (
    AlterJob,
    AppendLog,
    Change,
    DropJob,
    DropKeys,
    DropLog,
    DropQueue,
    PutJob,
    PutKey,
    PutQueue,
    move,
)
from jobengine.model.extra import Extra, Failure, Reason, Unique, UniqueFor
from jobengine.model.job import Job
from jobengine.model.keys import Key
from jobengine.model.log import Chunk, JobLog, Stream
from jobengine.model.queue import Queue, WhenFull
from jobengine.model.states import State
from tests.journal.scenes import MAIL, WALL_MS, Book, compact, job

GOLDEN = Path(__file__).parent / "golden"
SECRETS = {
    "format1-broker": "hex:" + "00112233445566778899aabbccddeeff" * 2,  # with all that API v2 says of jobs
    "format1-key": "hex:" + "0123456789abcdef" * 4,
    "format1-logs": "hex:" + "0f1e2d3c4b5a6978" * 4,  # with the output of jobs that were run
    "format1-online": "hex:" + "fedcba9876543210" * 4,  # compacted while it was in use
    "format1-passphrase": "correct horse battery staple",
}
# Of the first version: what came later is described only where it says something.
FIRST_FIELDS = {
    Queue: {"name", "keep", "lease", "max_attempts"},
    Job: {field.name for field in msgspec.structs.fields(Job)} - {"worker", "epoch", "lease", "extra"},
    Key: set(Key.__struct_fields__),
}
RENDER = Queue(name="render", keep=1, lease=2, max_attempts=3)
SHORT_LIVED = Queue(name="short-lived", keep=1, lease=2)


def described(book: Book, journal: Journal) -> dict[str, Any]:
    """Queues and jobs as JSON, big values in full."""
    return {
        "queues": [_plain(queue) for queue in book.queues.values()],
        "jobs": [_described(job, journal) for job in book.jobs.values()],
        **({"keys": [_plain(key) for key in book.keys.behind(0, 100)]} if book.keys else {}),
        **({"logs": {uid: _log(log, journal) for uid, log in book.logs.items()}} if book.logs else {}),
    }


def _log(log: JobLog, journal: Journal) -> dict[str, Any]:
    """What a job has written, big pieces in full."""
    chunks = [
        {
            "stream": chunk.stream.value,
            "offset": chunk.offset,
            "data": (journal.read_blob(chunk.data) if isinstance(chunk.data, Blob) else chunk.data).decode(),
            "big": isinstance(chunk.data, Blob),
        }
        for chunk in log.chunks
    ]
    return {"epoch": log.epoch, "chunks": chunks}


def _plain(value: Queue | Job | Key) -> dict[str, Any]:
    """Its fields, but for those that came with a later version and say nothing."""
    defaults = {field.name: field.default for field in msgspec.structs.fields(value)}
    fields = msgspec.structs.asdict(value)
    said = {
        name: each
        for name, each in fields.items()
        if name in FIRST_FIELDS[type(value)] or each != defaults[name]
    }
    plain: dict[str, Any] = json.loads(msgspec.json.encode(said))
    return plain


def _described(job: Job, journal: Journal) -> dict[str, Any]:
    content = job.content
    value = journal.read_blob(content) if isinstance(content, Blob) else content
    described = _plain(job) | {"content": value.decode(), "big": isinstance(content, Blob)}
    if isinstance(job.more.result, Blob):
        described["result"] = journal.read_blob(job.more.result).decode()
    if isinstance(job.more.saved, Blob):
        described["saved"] = journal.read_blob(job.more.saved).decode()
    return described


def claimed(job: Job) -> Job:
    """The job, handed out."""
    return msgspec.structs.replace(
        job,
        state=State.INPROGRESS,
        claimer="printer",
        attempt=1,
        lease_ends=WALL_MS + 10,
        updated=WALL_MS + 1,
    )


FAILED_ONCE = Failure(1, WALL_MS, Reason.ERROR, "Jam", "no paper", "printer-1")
EXTRA = Extra(
    not_before=WALL_MS + 5,
    max_attempts=3,
    timeout=7,
    started=WALL_MS,
    backoff=Backoff(delays=(1, 2)),
    tags=("a", "b"),
    unique=Unique("key", UniqueFor.WINDOW, WALL_MS + 9),
    halted=True,
    is_to_stop=True,
    reason=Reason.STOPPED,
    progress=b"0.5",
    failures=(FAILED_ONCE,),
    died_in="render",
)
FULL = Queue(
    name="full",
    keep=1,
    lease=2,
    backoff=Backoff(first=5, factor=3.0, most=50, jitter=0.5),
    error_rules=(ErrorRule("Jam", None), ErrorRule("Busy", Backoff(delays=(9,)))),
    dead_letter="mail",
    keeps_expired=True,
    max_jobs=4,
    max_bytes=5,
    when_full=WhenFull.DROP_LOWEST,
    is_paused=True,
    is_paused_by_hand=True,
    is_draining=True,
)


def key(number: int) -> Key:
    """An idempotency key."""
    return Key.of(bytes([number]) * 16, number, WALL_MS, b"body" * 4, [job(number).uid])


async def write_broker(path: Path, secret: Secret) -> None:
    """Write what came with API v2: in a snapshot, and behind it."""
    first = started(Journal.open(path, secret, replay=lambda changes: None, wall_ms=lambda: WALL_MS))
    first_value = await first.write_blob(b'"' + b"r" * 100 + b'"')
    book = Book()
    done = msgspec.structs.replace(
        claimed(job(1)), worker="printer-1", epoch=4, lease=(1 << 63) - 1, extra=Extra(result=first_value)
    )
    story: list[list[Change]] = [
        [PutQueue(MAIL), PutQueue(FULL)],
        [PutJob(job(0)), PutJob(done), PutKey(key(1)), PutKey(key(2)), PutKey(key(3))],
    ]
    await tell(first, book, story)
    await compact(first, book.snapshot())
    await first.close()
    book = Book()
    second = started(Journal.open(path, secret, replay=book.apply))
    value = await second.write_blob(b'"' + b"s" * 150 + b'"')
    failed = msgspec.structs.replace(claimed(job(0)), extra=EXTRA)
    again = msgspec.structs.replace(failed, extra=msgspec.structs.replace(EXTRA, result=value))
    await tell(
        second,
        book,
        [[AlterJob(move(failed), failed.extra), DropKeys(1)], [AlterJob(move(again), again.extra)]],
    )
    description = described(book, second)
    await second.close()
    path.with_name(path.name + ".lock").unlink()
    path.with_suffix(".json").write_text(json.dumps(description, indent=1) + "\n")


async def write_logs(path: Path, secret: Secret) -> None:
    """Write what came with jobs that are run: in a snapshot, and behind it."""
    first = started(Journal.open(path, secret, replay=lambda changes: None, wall_ms=lambda: WALL_MS))
    big = await first.write_blob(b"b" * 200)
    book = Book()
    ran = [msgspec.structs.replace(claimed(job(number)), epoch=2) for number in range(3)]
    pieces = [Chunk(Stream.OUT, 0, b"begin"), Chunk(Stream.OUT, 5, big), Chunk(Stream.ERR, 9, b"cut")]
    story: list[list[Change]] = [
        [PutQueue(msgspec.structs.replace(MAIL, log_bytes=1000, keep_logs=2)), *map(PutJob, ran)],
        *([AppendLog("mail", ran[0].uid, 2, piece)] for piece in pieces),
        [AppendLog("mail", ran[1].uid, 2, pieces[0])],
    ]
    await tell(first, book, story)
    await compact(first, book.snapshot())
    await first.close()
    book = Book()
    second = started(Journal.open(path, secret, replay=book.apply))
    other, saved = await second.write_blob(b"o" * 250), await second.write_blob(b'"' + b"s" * 150 + b'"')
    released = msgspec.structs.replace(ran[2], state=State.QUEUED, extra=Extra(saved=saved))
    story = [
        [AppendLog("mail", ran[0].uid, 2, Chunk(Stream.ERR, 12, b" and more"))],
        [AppendLog("mail", ran[0].uid, 2, Chunk(Stream.OUT, 1000, other))],
        [DropLog("mail", ran[1].uid)],
        [AppendLog("mail", ran[2].uid, 2, pieces[0])],
        [AppendLog("mail", ran[2].uid, 3, Chunk(Stream.OUT, 0, b"of the next attempt"))],
        [AlterJob(move(released), released.extra)],
    ]
    await tell(second, book, story)
    description = described(book, second)
    await second.close()
    path.with_name(path.name + ".lock").unlink()
    path.with_suffix(".json").write_text(json.dumps(description, indent=1) + "\n")


async def write(path: Path, secret: Secret) -> None:
    """Write every kind of frame and record: before, in and behind a snapshot."""
    book = Book()
    first = started(Journal.open(path, secret, replay=book.apply, wall_ms=lambda: WALL_MS))
    blob = await first.write_blob(b'{"big": "' + b"b" * 100 + b'"}')
    story: list[list[Change]] = [
        [PutQueue(MAIL), PutQueue(RENDER), PutQueue(SHORT_LIVED)],
        [PutJob(job(number)) for number in range(3)],
        [PutJob(job(3, content=blob, queue="render"))],
    ]
    await tell(first, book, story)
    await first.close()
    first = started(Journal.open(path, secret, replay=lambda changes: None))
    await compact(first, book.snapshot())
    await first.close()
    book = Book()
    second = started(Journal.open(path, secret, replay=book.apply))
    other = await second.write_blob(b'{"other": "' + b"o" * 150 + b'"}')
    story = [
        [move(claimed(job(0))), DropJob("mail", job(1).uid)],
        [PutJob(job(4, content=other)), DropQueue("short-lived")],
    ]
    await tell(second, book, story)
    description = described(book, second)
    await second.close()
    path.with_name(path.name + ".lock").unlink()
    path.with_suffix(".json").write_text(json.dumps(description, indent=1) + "\n")


def started(journal: Journal) -> Journal:
    """The journal, running."""
    journal.start(now=lambda: WALL_MS, on_rollback=print, on_failure=print)
    return journal


async def tell(journal: Journal, book: Book, story: list[list[Change]]) -> None:
    """Let all of this happen, a commit each."""
    for changes in story:
        await journal.append(changes)
        book.apply(changes)


def main() -> None:
    """Make those that are missing."""
    for name, secret in SECRETS.items():
        path = GOLDEN / f"{name}.queuedb"
        if not path.exists():
            maker = {"format1-broker": write_broker, "format1-logs": write_logs}.get(name, write)
            asyncio.run(maker(path, Secret.parse(secret)))


if __name__ == "__main__":
    main()
