"""An export: JSON lines, decrypted. The first says what it is and names the queues, each other is a job.

Jobs stand queue by queue, in the order in which they are handed out; so their lines say who comes first among
equals. Times are milliseconds since the Unix epoch; the same in ISO 8601 is for people.
"""

from collections.abc import Iterator
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Raw, Struct

from jobengine.cli.db.options import iso
from jobengine.errors import Fatal, JobEngineError
from jobengine.model.job import Blob, Job, Queue, order_of
from jobengine.model.states import State
from jobengine.web.strict_json import check_json

FORMAT: Final = "jobengine-export"
VERSION: Final = 1
LINE_MOST_BYTES: Final = 128 * 1024 * 1024

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")]
Uid = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")]
Time = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]  # up to the year 9999
Duration = Annotated[int, Meta(ge=0)]

_TIMES: Final = ("created", "updated", "expires", "lease_ends")


class QueueEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """A queue, as the database knows it."""

    name: Name
    keep_ms: Duration
    lease_ms: Duration
    max_attempts: Annotated[int, Meta(ge=1)] = 1

    @classmethod
    def of(cls, queue: Queue) -> "QueueEntry":
        """The entry for this queue."""
        return cls(queue.name, queue.keep, queue.lease, queue.max_attempts)

    def queue(self) -> Queue:
        """The queue that this entry stands for."""
        return Queue(self.name, self.keep_ms, self.lease_ms, self.max_attempts)


class Heading(Struct, frozen=True, forbid_unknown_fields=True):
    """The first line."""

    format: str
    version: int
    queues: tuple[QueueEntry, ...] = ()


class JobLine(Struct, frozen=True, forbid_unknown_fields=True):
    """Any other line."""

    queue: Name
    uid: Uid
    state: State
    priority: Annotated[int, Meta(ge=1, le=100)]
    content: Raw
    created_ms: Time
    updated_ms: Time
    expires_ms: Time
    lease_ends_ms: Time = 0  # 0: it has none
    attempt: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    claimer: Name | None = None
    created: str | None = None
    updated: str | None = None
    expires: str | None = None
    lease_ends: str | None = None

    @classmethod
    def of(cls, job: Job, content: bytes) -> "JobLine":
        """The line for this job."""
        # A JSON text holds line breaks between its parts only.
        one_line = content.replace(b"\n", b" ").replace(b"\r", b" ")
        times = (job.created, job.updated, job.expires, job.lease_ends)
        return cls(
            *(job.queue, job.uid, job.state, job.priority, Raw(one_line)),
            *times,
            *(job.attempt, job.claimer),
            *map(iso, times),
        )

    def job(self, content: bytes | Blob, *, arrival: int) -> Job:
        """The job that this line stands for."""
        return Job(
            self.uid,
            self.queue,
            self.state,
            order_of(priority=self.priority, arrival=arrival),
            content,
            self.created_ms,
            self.updated_ms,
            self.expires_ms,
            self.lease_ends_ms,
            self.attempt,
            self.claimer,
        )


_headings: Final = msgspec.json.Decoder(Heading)
_jobs: Final = msgspec.json.Decoder(JobLine)


def read_heading(line: bytes) -> Heading:
    """The first line of an export. Raises Fatal."""
    try:
        heading = _headings.decode(line)
    except msgspec.DecodeError as error:
        raise Fatal(f"line 1: does not begin an export: {error}") from None
    if (heading.format, heading.version) != (FORMAT, VERSION):
        raise Fatal(f'line 1: must say "format":"{FORMAT}","version":{VERSION}')
    return heading


def read_job(line: bytes) -> JobLine:
    """Any other line. Raises Fatal, with what is wrong."""
    try:
        found = _jobs.decode(line)
        check_json(bytes(found.content))
    except msgspec.DecodeError as error:
        raise Fatal(str(error)) from None
    except JobEngineError as error:
        raise Fatal(f"content: {error.detail}") from None
    for mistake in _mistakes(found):
        raise Fatal(mistake)
    return found


def _mistakes(found: JobLine) -> Iterator[str]:
    if found.state is State.GONE:
        yield "state: a job that is gone is none"
    if not bytes(found.content).startswith(b"{"):
        yield "content: must be a JSON object"
    for name in _TIMES:
        written, time = getattr(found, name), getattr(found, f"{name}_ms")
        if written is not None and written != iso(time):
            yield f"{name}: is not the time that {name}_ms says, which is {iso(time)}"
