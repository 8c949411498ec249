"""New jobs."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from jobengine.client import values
from jobengine.client.calls.batches import batches
from jobengine.client.calls.looking import WAIT_MOST_SECONDS, wait_text
from jobengine.client.calls.looking import wait as wait_for
from jobengine.client.calls.paths import queue_path
from jobengine.client.drafts import Draft, new_uid
from jobengine.client.exchange import Call, Request, decoded, decoded_job
from jobengine.client.job import Job
from jobengine.client.values import Backoff, Duration


class _Jobs(Struct):
    jobs: list[Job]


class _Uids(Struct):
    uids: list[str]


_JOBS: Final = msgspec.json.Decoder(_Jobs)
_UIDS: Final = msgspec.json.Decoder(_Uids)


def create(
    queue: str,
    content: Any,
    *,
    priority: int = 50,
    valid_for: Duration | None = None,
    delay: Duration | None = None,
    not_before: datetime | None = None,
    max_attempts: int | None = None,
    backoff: Backoff | None = None,
    timeout: Duration | None = None,
    unique_key: str | None = None,
    unique_for: Literal["queued", "active"] | Duration | None = None,
    on_duplicate: Literal["keep", "replace"] | None = None,
    tags: Sequence[str] = (),
    uid: str | None = None,
    wait: Duration = 0,
) -> Call[Job]:
    """Put a job into a queue. With `wait`, answers when it has ended, or when that time is over.

    The options are those of Draft. Raises NotFound, Forbidden, ValidationFailed, BadState (the queue
    drains), QueueFull.
    """
    draft = Draft(
        content,
        priority=priority,
        valid_for=valid_for,
        delay=delay,
        not_before=not_before,
        max_attempts=max_attempts,
        backoff=backoff,
        timeout=timeout,
        unique_key=unique_key,
        unique_for=unique_for,
        on_duplicate=on_duplicate,
        tags=tags,
        uid=uid or new_uid(),
    )
    left = values.seconds(wait)
    first = min(left, WAIT_MOST_SECONDS)
    headers = {"Prefer": f"wait={wait_text(first)}"} if first > 0 else {}
    body = values.json(draft.wire())
    response = yield Request("POST", queue_path(queue, "jobs"), body, headers, wait=first)
    job = decoded_job(response)
    if uid is None and job.uid == draft.uid:  # nobody else has this uid: a request before made it
        job = replace(job, deduplicated=False)
    if left > first and not job.has_ended:
        job = yield from wait_for(queue, job.uid, timeout=left - first)
    return job


def create_many(queue: str, drafts: Iterable[Draft]) -> Call[list[Job]]:
    """Put jobs into a queue, in lists of up to 1000: of each list all or none are made.

    To call it again with the same drafts makes none of them twice. Raises as create.
    """
    jobs: list[Job] = []
    for request in _requests(queue, drafts, {}):
        response = yield request
        jobs += decoded(response, _JOBS).jobs
    return jobs


def create_uids(queue: str, drafts: Iterable[Draft]) -> Call[list[str]]:
    """As create_many, but answers with the uids alone: that is quicker."""
    uids: list[str] = []
    for request in _requests(queue, drafts, {"Prefer": "return=minimal"}):
        response = yield request
        uids += decoded(response, _UIDS).uids
    return uids


def _requests(queue: str, drafts: Iterable[Draft], headers: dict[str, str]) -> Iterator[Request]:
    encoded = (values.json(draft.wire()) for draft in drafts)
    for batch in batches(encoded, size=len):
        yield Request("POST", queue_path(queue, "jobs"), b"[%b]" % b",".join(batch), headers)
