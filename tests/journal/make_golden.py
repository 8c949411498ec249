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
from jobengine.model.blob import Blob
from jobengine.model.changes import Change, DropJob, DropQueue, PutJob, PutQueue, move
from jobengine.model.job import Job
from jobengine.model.queue import Queue
from jobengine.model.states import State
from tests.journal.scenes import MAIL, WALL_MS, Book, compact, job

GOLDEN = Path(__file__).parent / "golden"
SECRETS = {
    "format1-key": "hex:" + "0123456789abcdef" * 4,
    "format1-online": "hex:" + "fedcba9876543210" * 4,  # compacted while it was in use
    "format1-passphrase": "correct horse battery staple",
}
RENDER = Queue(name="render", keep=1, lease=2, max_attempts=3)
SHORT_LIVED = Queue(name="short-lived", keep=1, lease=2)


def described(book: Book, journal: Journal) -> dict[str, Any]:
    """Queues and jobs as JSON, big values in full."""
    return {
        "queues": [msgspec.to_builtins(queue) for queue in book.queues.values()],
        "jobs": [_described(job, journal) for job in book.jobs.values()],
    }


def _described(job: Job, journal: Journal) -> dict[str, Any]:
    content = job.content
    value = journal.read_blob(content) if isinstance(content, Blob) else content
    fields = msgspec.structs.asdict(job) | {"content": value.decode(), "big": isinstance(content, Blob)}
    return msgspec.to_builtins(fields)


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
            asyncio.run(write(path, Secret.parse(secret)))


if __name__ == "__main__":
    main()
