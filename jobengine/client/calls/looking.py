"""Looking at jobs, and waiting for them."""

from typing import Final

import msgspec

from jobengine.client import values
from jobengine.client.calls.paths import job_path, query, queue_path
from jobengine.client.exchange import Call, Request, decoded, decoded_job
from jobengine.client.job import Job
from jobengine.client.results import Page, Why
from jobengine.client.values import Duration

WAIT_MOST_SECONDS: Final = 60.0  # that the broker waits in one request

_PAGE: Final = msgspec.json.Decoder(Page)
_WHY: Final = msgspec.json.Decoder(Why)


def get(queue: str, uid: str) -> Call[Job]:
    """A job as it is now. Raises NotFound."""
    response = yield Request("GET", job_path(queue, uid))
    return decoded_job(response)


def wait(queue: str, uid: str, *, timeout: Duration | None = None) -> Call[Job]:
    """The job when it has ended; or as it is after this time, if one is given. Raises NotFound."""
    left = None if timeout is None else values.seconds(timeout)
    while True:
        turn = WAIT_MOST_SECONDS if left is None else min(left, WAIT_MOST_SECONDS)
        response = yield Request("GET", job_path(queue, uid) + query(wait=wait_text(turn)), wait=turn)
        job = decoded_job(response)
        if left is not None:
            left -= turn
        if job.has_ended or (left is not None and left <= 0):
            return job


def wait_text(seconds: float) -> str:
    """How long to wait, as API v2 takes it: in ms at the finest, and never as 1e-05."""
    return f"{round(seconds, 3):g}"


def page(
    queue: str,
    *,
    state: str | None = None,
    filter: str | None = None,  # noqa: A002  # its name in the API
    limit: int | None = None,
    cursor: str | None = None,
) -> Call[Page]:
    """Some jobs of a queue, in its order. `state` may be several, with commas between.

    Raises ValidationFailed for a filter that is none.
    """
    parts = query(state=state, filter=filter, limit=limit, cursor=cursor)
    response = yield Request("GET", queue_path(queue, "jobs") + parts)
    return decoded(response, _PAGE)


def why(queue: str, uid: str) -> Call[Why]:
    """What keeps a job from being handed out. Raises NotFound."""
    response = yield Request("GET", job_path(queue, uid, "why"))
    return decoded(response, _WHY)
