"""What is done to jobs: to one, or to many."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from jobengine.client import values
from jobengine.client.calls.paths import job_path, words
from jobengine.client.exchange import Call, Request, decoded, decoded_job
from jobengine.client.job import Job
from jobengine.client.results import Bulk
from jobengine.client.values import Backoff, Duration

_BULK: Final = msgspec.json.Decoder(Bulk)
_TWICE_IS_NOT_ONCE: Final = frozenset({"clone", "retry", "redrive"})


def _if_match(version: str | None) -> dict[str, str]:
    return {} if version is None else {"If-Match": version if version == "*" else f'"{version}"'}


def update(
    queue: str,
    uid: str,
    *,
    content: Any = UNSET,
    priority: int | None = None,
    valid_for: Duration | None = None,
    expires: datetime | None = None,
    delay: Duration | None = None,
    not_before: datetime | None = None,
    max_attempts: int | None = None,
    timeout: Duration | None = None,
    backoff: Backoff | None = None,
    tags: Sequence[str] | None = None,
    if_version: str | None = None,
) -> Call[Job]:
    """Change what is named of a job, all or nothing. Raises NotFound, BadState, VersionChanged."""
    changes = values.said(
        priority=priority,
        valid_for=None if valid_for is None else values.seconds(valid_for),
        expires=None if expires is None else values.time(expires),
        delay=None if delay is None else values.seconds(delay),
        not_before=None if not_before is None else values.time(not_before),
        max_attempts=max_attempts,
        timeout=None if timeout is None else values.seconds(timeout),
        backoff=None if backoff is None else values.backoff(backoff),
        tags=tags,
    )
    if not isinstance(content, UnsetType):
        changes["content"] = content
    body = values.json(changes)
    response = yield Request(
        "PATCH", job_path(queue, uid), body, _if_match(if_version), once=if_version is not None
    )
    return decoded_job(response)


def delete(queue: str, uid: str, *, if_version: str | None = None) -> Call[None]:
    """Remove a job, whatever its state. Raises NotFound, VersionChanged."""
    yield Request("DELETE", job_path(queue, uid), headers=_if_match(if_version), once=True)


def _control(queue: str, uid: str, verb: str, version: str | None, *, to: str | None = None) -> Call[Job]:
    body = None if to is None else values.json({"queue": to})
    response = yield Request("POST", job_path(queue, uid, verb), body, _if_match(version), once=True)
    return decoded_job(response)


def stop(queue: str, uid: str, *, if_version: str | None = None) -> Call[Job]:
    """A queued job fails as stopped; of one in progress, its holder is asked to stop. Raises BadState."""
    return _control(queue, uid, "stop", if_version)


def halt(queue: str, uid: str, *, if_version: str | None = None) -> Call[Job]:
    """A queued job is not handed out; of one in progress, its holder is asked to halt. Raises BadState."""
    return _control(queue, uid, "halt", if_version)


def resume(queue: str, uid: str, *, if_version: str | None = None) -> Call[Job]:
    """A halted job goes on. Raises BadState."""
    return _control(queue, uid, "resume", if_version)


def retry(queue: str, uid: str, *, if_version: str | None = None) -> Call[Job]:
    """A job that has ended is queued again; one that waits for a time is handed out now. Raises BadState."""
    return _control(queue, uid, "retry", if_version)


def move(queue: str, uid: str, to: str, *, if_version: str | None = None) -> Call[Job]:
    """A job goes to another queue. Raises NotFound, BadState."""
    return _control(queue, uid, "move", if_version, to=to)


def clone(queue: str, uid: str, to: str | None = None, *, if_version: str | None = None) -> Call[Job]:
    """A new job like this one, in its queue or in another one. Raises NotFound."""
    return _control(queue, uid, "clone", if_version, to=to)


def bulk(
    queue: str,
    action: str,
    *,
    filter: str | None = None,  # noqa: A002  # its name in the API
    state: str | Sequence[str] | None = None,
    to: str | None = None,
    dry_run: bool = False,
    on_slice: Callable[[Bulk], object] = lambda _: None,
) -> Call[Bulk]:
    """Delete, stop, halt, resume, retry, move, clone or redrive all jobs that the filter and states name.

    It is done in slices, in one request each: `on_slice` hears what was done so far. A dry run changes
    nothing. Raises ValidationFailed for a filter that is none.
    """
    asked = values.said(queue=queue, action=action, filter=filter, state=words(state), to=to)
    once = action in _TWICE_IS_NOT_ONCE and not dry_run
    total, cursor = Bulk(), None
    while True:
        body = values.json({**asked, "dry_run": dry_run, **values.said(cursor=cursor)})
        response = yield Request("POST", "/jobs/bulk", body, once=once)
        done = decoded(response, _BULK)
        total, cursor = total + done, done.next_cursor
        on_slice(total)
        if cursor is None:
            return total
