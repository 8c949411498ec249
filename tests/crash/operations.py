"""What services ask of the broker: the words of the ledger."""

from functools import lru_cache

import msgspec
from msgspec import Struct


class Create(Struct, frozen=True, tag="create"):
    """A new job. Its number is that of this operation."""

    service: str
    priority: int
    size: int  # bytes of its content, about


class Claim(Struct, frozen=True, tag="claim"):
    """The next job, whichever that is."""

    service: str


class Update(Struct, frozen=True, tag="update"):
    """Other values for a job; None leaves one as it is."""

    service: str
    may_write: bool
    job: int
    uid: str
    state: str | None = None
    priority: int | None = None
    size: int | None = None  # of new content


class Delete(Struct, frozen=True, tag="delete"):
    """A job is to go."""

    service: str
    job: int
    uid: str


class Get(Struct, frozen=True, tag="get"):
    """A look at one job."""

    service: str
    job: int
    uid: str


class Settle(Struct, frozen=True, tag="settle"):
    """What the holder of a lease says of its job, by API v2."""

    service: str
    job: int
    uid: str
    lease: str
    verb: str  # complete, fail or release


class Again(Struct, frozen=True, tag="again"):
    """A create that named its own uid, sent once more: a client does so when an answer was lost."""

    service: str
    job: int
    uid: str
    priority: int
    size: int


class Append(Struct, frozen=True, tag="append"):
    """What the holder of a lease writes into the log of its job, behind so many bytes."""

    service: str
    job: int
    uid: str
    lease: str
    offset: int
    text: str


Operation = Create | Claim | Update | Delete | Get | Settle | Again | Append


class Job(Struct, frozen=True):
    """A job as API v1 shows it, its content to the byte."""

    uid: str
    state: str
    priority: int
    content: bytes
    created: int
    last_updated: int
    timeout_time: int
    log: bytes | None = None  # None: nobody has looked at it

    @property
    def number(self) -> int:
        """The number of the operation that made it."""
        return int(msgspec.json.decode(self.content)["job"])


class _JobBody(Struct, frozen=True):
    uid: str
    state: str
    priority: int
    content: msgspec.Raw
    created: int
    last_updated: int
    timeout_time: int

    def job(self) -> Job:
        return Job(**{**msgspec.structs.asdict(self), "content": bytes(self.content)})


class _LeaseBody(Struct, frozen=True):
    lease: str | None = None


def read_job(body: bytes) -> Job:
    """The job that an answer shows."""
    return msgspec.json.decode(body, type=_JobBody).job()


def read_lease(body: bytes) -> str | None:
    """The id of the lease that an answer of API v2 gives its claimer; none for one of API v1."""
    return msgspec.json.decode(body, type=_LeaseBody).lease


def read_list(body: bytes) -> list[Job]:
    """The jobs that a list shows."""
    return [shown.job() for shown in msgspec.json.decode(body, type=dict[str, _JobBody]).values()]


@lru_cache(maxsize=1000)
def content(job: int, *, written: int, size: int) -> bytes:
    """The content that operation `written` gives to a job: every byte of it is known."""
    filler = f"{written} " * (size // len(f"{written} "))
    return f'{{"job":{job},"written":{written},"filler":"{filler}"}}'.encode()
