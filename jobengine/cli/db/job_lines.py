"""An export: JSON lines, decrypted. The first says what it is and names the queues, each other is a job.

Jobs stand queue by queue, in the order in which they are handed out; so their lines say who comes first among
equals. Times are milliseconds since the Unix epoch; the same in ISO 8601 is for people.
"""

from collections.abc import Iterator
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from msgspec.structs import replace

from jobengine.cli.db.options import iso
from jobengine.errors import Fatal, JobEngineError
from jobengine.model.blob import Blob
from jobengine.model.extra import Extra
from jobengine.model.job import Job, order_of
from jobengine.model.queue import Queue
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
    settings: Queue | UnsetType = UNSET  # where they say more than the above

    @classmethod
    def of(cls, queue: Queue) -> "QueueEntry":
        """The entry for this queue."""
        plain = Queue(queue.name, queue.keep, queue.lease, queue.max_attempts)
        settings = UNSET if queue == plain else queue
        return cls(queue.name, queue.keep, queue.lease, queue.max_attempts, settings)

    def queue(self) -> Queue:
        """The queue that this entry stands for."""
        if self.settings is not UNSET:
            return self.settings
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
    worker: str | UnsetType = UNSET
    epoch: Annotated[int, Meta(ge=0)] = 0
    lease: Annotated[int, Meta(ge=0)] = 0
    extra: Extra | UnsetType = UNSET  # but for what follows
    result: Raw | UnsetType = UNSET
    saved: Raw | UnsetType = UNSET
    progress: Raw | UnsetType = UNSET
    created: str | None = None
    updated: str | None = None
    expires: str | None = None
    lease_ends: str | None = None

    @classmethod
    def of(cls, job: Job, content: bytes, result: bytes | None, saved: bytes | None) -> "JobLine":
        """The line for this job."""
        progress = job.more.progress
        created, updated, expires, lease_ends = map(
            iso, (job.created, job.updated, job.expires, job.lease_ends)
        )
        return cls(
            *(job.queue, job.uid, job.state, job.priority, _one_line(content)),
            *(job.created, job.updated, job.expires, job.lease_ends),
            attempt=job.attempt,
            claimer=job.claimer,
            worker=UNSET if job.worker is None else job.worker,
            epoch=job.epoch,
            lease=job.lease,
            extra=UNSET if job.extra is None else replace(job.extra, result=None, progress=None, saved=None),
            result=UNSET if result is None else _one_line(result),
            saved=UNSET if saved is None else _one_line(saved),
            progress=UNSET if progress is None else _one_line(progress),
            created=created,
            updated=updated,
            expires=expires,
            lease_ends=lease_ends,
        )

    def job(
        self,
        content: bytes | Blob,
        result: bytes | Blob | None,
        saved: bytes | Blob | None,
        *,
        arrival: int,
    ) -> Job:
        """The job that this line stands for."""
        extra = None
        if self.extra is not UNSET:
            progress = None if self.progress is UNSET else bytes(self.progress)
            extra = replace(self.extra, result=result, progress=progress, saved=saved)
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
            None if self.worker is UNSET else self.worker,
            self.epoch,
            self.lease,
            extra,
        )


def _one_line(value: bytes) -> Raw:
    # A JSON text holds line breaks between its parts only.
    return Raw(value.replace(b"\n", b" ").replace(b"\r", b" "))


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
        for value in (found.content, found.result, found.progress):
            if value is not UNSET:
                check_json(bytes(value))
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
    of_extra = (found.result, found.progress, found.saved)
    if found.extra is UNSET and any(each is not UNSET for each in of_extra):
        yield "extra: is missing, where there is a result, progress or what was saved"
    for name in _TIMES:
        written, time = getattr(found, name), getattr(found, f"{name}_ms")
        if written is not None and written != iso(time):
            yield f"{name}: is not the time that {name}_ms says, which is {iso(time)}"
