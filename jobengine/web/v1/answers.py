"""What API v1 answers, as types. job.py writes jobs by hand; a test holds the two together."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from jobengine.web.v1.bodies import Priority, Status, TimeoutTime

Seconds = Annotated[int, Meta(ge=0)]  # since the Unix epoch


class JobOfV1(Struct, frozen=True, forbid_unknown_fields=True):
    """A job as API v1 shows it. Times in seconds since the Unix epoch."""

    content: Any
    created: Seconds
    last_updated: Seconds
    priority: Priority
    state: Status
    timeout_time: TimeoutTime
    uid: str


class Well(Struct, frozen=True, forbid_unknown_fields=True):
    """The server is there."""

    status: Literal["ok"]


class ListQuery(Struct, frozen=True):
    """Which part of a list is wanted: so many, behind this job."""

    limit: Annotated[int, Meta(ge=1)] | None = None
    after: str | None = None
