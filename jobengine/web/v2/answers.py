"""What API v2 answers, as types. job.py writes jobs by hand; a test holds the two together."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from jobengine.model.states import State
from jobengine.web.v2.values import StateName

ReasonName = Literal["error", "timeout", "stopped", "expired"]


class LeaseView(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Who holds a job, and how long."""

    epoch: int  # rises with each delivery: a fencing token
    expires: datetime
    id: str | None = None  # told to the holder only
    service: str | None = None
    worker: str | None = None


class FailureView(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One attempt that did not succeed."""

    attempt: int
    time: datetime
    reason: ReasonName
    kind: str = ""
    text: str = ""
    worker: str | None = None


class GrowingView(Struct, frozen=True, forbid_unknown_fields=True):
    """Delays in seconds that grow from one to another."""

    first: float = field(name="from")
    factor: float
    most: float = field(name="to")
    jitter: float


class JobView(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A job. What is empty is left out."""

    uid: str
    queue: str
    state: StateName
    priority: int
    content: Any
    created: datetime
    last_updated: datetime
    attempt: int
    expires: datetime | None = None
    not_before: datetime | None = None
    max_attempts: int | None = None
    timeout: float | None = None  # seconds
    backoff: GrowingView | list[float] | None = None
    tags: list[str] = []
    unique_key: str | None = None
    halted: bool = False
    reason: ReasonName | None = None
    progress: Any = None
    result: Any = None
    saved: Any = None  # by whoever released it, for whoever holds it now; told to its holder only
    errors: list[FailureView] = []
    lease: LeaseView | None = None
    died_in: str | None = None
    deduplicated: bool = False
    control: Literal["run", "halt", "stop"] | None = None


class GoneView(Struct, frozen=True, forbid_unknown_fields=True):
    """A job that was made, and is gone."""

    uid: str
    queue: str
    state: Literal["gone"]


class JobsView(Struct, frozen=True, forbid_unknown_fields=True):
    """Several jobs."""

    jobs: list[JobView]


# msgspec has no unions of structs: only the document says which two these can be.
_JobOrGone = Annotated[
    Any,
    Meta(
        extra_json_schema={
            "anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("JobView", "GoneView")]
        }
    ),
]


class MadeView(Struct, frozen=True, forbid_unknown_fields=True):
    """Several jobs that were made; with an idempotency key, some of them long ago."""

    jobs: list[_JobOrGone]


class UidView(Struct, frozen=True, forbid_unknown_fields=True):
    """Return=minimal: the job that was made."""

    uid: str


class UidsView(Struct, frozen=True, forbid_unknown_fields=True):
    """Return=minimal: the jobs that were made."""

    uids: list[str]


class LogLineView(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A piece of what a job has written. Between its end and the next offset something may have been cut."""

    stream: Literal["out", "err"]
    offset: int  # bytes of the stream before it
    text: str | None = None
    base64: str | None = None  # in the place of text that is not UTF-8


class WorkerView(Struct, frozen=True, forbid_unknown_fields=True):
    """A worker that was seen in the last ten minutes."""

    name: str
    service: str
    queues: list[str]
    jobs: list[str]  # the uids of those that it has in progress
    last_seen: datetime


class WorkersView(Struct, frozen=True, forbid_unknown_fields=True):
    """Those who work on queues of which the caller may read."""

    workers: list[WorkerView]


class PageView(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Some of the jobs of a queue."""

    jobs: list[JobView]
    next_cursor: str | None = None  # there are, or may be, more


class ProblemView(Struct, frozen=True, omit_defaults=True):
    """A refusal (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str = ""
    errors: list[dict[str, str]] = []


class ResultView(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What became of one settlement."""

    uid: str
    status: int
    job: JobView | None = None
    problem: ProblemView | None = None
    control: Literal["run", "halt", "stop"] | None = None


class ResultsView(Struct, frozen=True, forbid_unknown_fields=True):
    """What became of each settlement: complete, fail, release, extend, progress."""

    results: list[ResultView]


class ObstacleView(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One thing that keeps a job from being handed out."""

    cause: str
    text: str
    until: str | None = None
    jobs: int | None = None
    by: str | None = None


class WhyView(Struct, frozen=True, forbid_unknown_fields=True):
    """What keeps a job from being handed out, in words and as data."""

    uid: str
    state: State
    why: list[ObstacleView]
    text: str


class RefusedView(Struct, frozen=True, forbid_unknown_fields=True):
    """One of many jobs with which something could not be done."""

    uid: str
    status: int
    code: str
    detail: str


class BulkView(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What was done to one slice of many jobs."""

    matched: int
    changed: int
    refused: int
    problems: list[RefusedView] = []
    next_cursor: str | None = None


class ChangedView(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How many jobs of one slice were changed."""

    changed: int
    refused: int = 0
    problems: list[RefusedView] = []
    next_cursor: str | None = None


class QueueView(Struct, frozen=True, forbid_unknown_fields=True):
    """A queue in figures, and its settings."""

    name: str
    jobs: dict[State, int]
    held: int  # of the queued ones: they wait for a time, or are halted
    queued_bytes: int
    oldest_queued_seconds: float
    paused: bool
    draining: bool
    origin: Literal["configuration", "api"] = field(name="from")
    settings: dict[str, Any]


class QueuesView(Struct, frozen=True, forbid_unknown_fields=True):
    """The queues on which the caller has a right."""

    queues: list[QueueView]
