"""The headers that mean something to a route, besides X-Name, and what stands behind the question mark."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from msgspec import Meta

from jobengine.web.v1.bodies import Status
from jobengine.web.v2.values import LeaseId, QueueName

Key = Annotated[str, Meta(min_length=1, max_length=255)]
Version = Annotated[str, Meta(pattern=r'^(?:\*|"[0-9]{1,18}")$')]

HEADERS: Final[Mapping[str, tuple[Any, str]]] = {
    "Idempotency-Key": (Key, "The same request with the same key again gets the same answer, for a day."),
    "If-Match": (Version, "Only if this is the job's version still: the `ETag` of an answer, or `*`."),
    "Last-Event-ID": (str, "The id of the last event that was read: go on behind it."),
    "Prefer": (str, "`return=minimal`: without what the caller knows. `wait=30`: when the job has ended."),
    "X-Lease": (LeaseId, "The lease id of the claimed job."),
    "X-Queue": (QueueName, "The queue that is meant."),
    "X-Status-Filter": (Status, "Only jobs of this state."),
}
REQUIRED: Final = frozenset({"X-Lease", "X-Queue"})

QUERY: Final[Mapping[str, str]] = {
    "after": "Behind what to begin: a job's uid; in a log, the `Log-Position` of an earlier answer.",
    "cursor": "Where to go on: `next_cursor` of the page before.",
    "filter": "Which jobs are wanted: an expression of the filter language.",
    "follow": "1: as events, until the job has ended.",
    "limit": "How many jobs at most.",
    "offset": "How many bytes of the stream come before these.",
    "stream": "`out` or `err`: where it is written; when a log is read, only this one, as plain text.",
    "state": "Only jobs of this state, or of these, with commas between.",
    "wait": "Until the job has ended, or so long; in a log, until there is more.",
}
