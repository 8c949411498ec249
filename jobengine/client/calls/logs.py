"""What jobs that are run have written, and who runs them."""

import base64
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from jobengine.client import values
from jobengine.client.calls.looking import wait_text
from jobengine.client.calls.paths import job_path, query
from jobengine.client.exchange import Call, Request, Response, decoded
from jobengine.client.job import Held, Job, State, held
from jobengine.client.results import LogPart, LogPiece, WorkerSeen
from jobengine.client.values import Duration

FOLLOW_SECONDS: Final = 30.0  # that the broker waits for more in one request

_ENDED: Final = frozenset({State.COMPLETE, State.FAILED})


class _Line(Struct):
    stream: str
    offset: int
    text: str | None = None
    base64: str | None = None


class _Workers(Struct):
    workers: list[WorkerSeen]


_LINE: Final = msgspec.json.Decoder(_Line)
_WORKERS: Final = msgspec.json.Decoder(_Workers)


def append_log(job: Job | Held, stream: str, offset: int, data: bytes) -> Call[None]:
    """Put what a claimed job has written to `out` or `err` behind its first `offset` bytes.

    Raises LeaseLost; LogFull when there is as much as the queue keeps. To say it twice is no harm.
    """
    holder = held(job)
    path = job_path(holder.queue, holder.uid, "log") + query(stream=stream, offset=offset)
    headers = {"Content-Type": "application/octet-stream", "X-Lease": holder.lease}
    yield Request("POST", path, data, headers)


def log_part(queue: str, uid: str, *, after: str | None = None, wait: Duration = 0) -> Call[LogPart]:
    """What a job has written, behind a position; with `wait`, as soon as there is more. Raises NotFound."""
    seconds = values.seconds(wait)
    parts = query(after=after, wait=wait_text(seconds))
    response = yield Request("GET", job_path(queue, uid, "log") + parts, wait=seconds)
    position, state = response.headers.get("Log-Position", ""), response.headers.get("Job-State")
    has_more = "Log-More" in response.headers
    return LogPart(tuple(_pieces(response)), position, state in _ENDED and not has_more, has_more)


def workers() -> Call[list[WorkerSeen]]:
    """Those who were seen in the last ten minutes on queues of which the caller may read."""
    response = yield Request("GET", "/workers")
    return decoded(response, _WORKERS).workers


def _pieces(response: Response) -> Iterator[LogPiece]:
    for text in response.body.splitlines():
        line = decoded(Response(response.status, text, response.headers), _LINE)
        data = base64.b64decode(line.base64 or "") if line.text is None else line.text.encode()
        yield LogPiece(line.stream, line.offset, data)
