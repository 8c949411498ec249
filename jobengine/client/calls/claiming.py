"""Claims."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

import msgspec
from msgspec import Struct

from jobengine.client import values
from jobengine.client.calls.looking import WAIT_MOST_SECONDS
from jobengine.client.calls.paths import queue_path
from jobengine.client.exchange import Call, Request, decoded
from jobengine.client.job import Job
from jobengine.client.values import Duration

Queues = str | Sequence[str] | Mapping[str, int]  # one, several, or several with their weights


class _Claimed(Struct):
    jobs: list[Job]


_CLAIMED: Final = msgspec.json.Decoder(_Claimed)


def claim(
    queues: Queues,
    most: int = 1,
    *,
    wait: Duration = 0,
    lease: Duration | None = None,
    worker: str | None = None,
) -> Call[list[Job]]:
    """Take the first jobs of a queue, or of several: of those that have jobs, each as its weight says.

    With `wait`, answers when there are some, or when that time is over. They are the caller's for 60 s where
    `lease` says nothing else. Raises NotFound, Forbidden, ValidationFailed; OutcomeUnknown when the answer
    was lost: what was claimed, if anything, comes back when its lease is over.
    """
    left = values.seconds(wait)
    while True:
        turn = min(left, WAIT_MOST_SECONDS)
        left -= turn
        response = yield _request(queues, most, turn, lease, worker)
        if response.status != HTTPStatus.NO_CONTENT:
            return decoded(response, _CLAIMED).jobs
        if left <= 0:
            return []


def _request(queues: Queues, most: int, wait: float, lease: Duration | None, worker: str | None) -> Request:
    body: dict[str, object] = {"max": most, "wait": wait, **values.said(worker=worker)}
    if lease is not None:
        body["lease"] = values.seconds(lease)
    path = "/claim"
    if isinstance(queues, str):
        path = queue_path(queues, "claim")
    else:
        body["queues"] = dict(queues) if isinstance(queues, Mapping) else list(queues)
    return Request("POST", path, values.json(body), wait=wait, once=True)
