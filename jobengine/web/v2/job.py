"""A job as API v2 shows it. What is empty is left out.

Written by hand: the content goes out as it came in, and a plain job takes two microseconds.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct

from jobengine.engine.interface import Engine
from jobengine.model.backoff import Backoff
from jobengine.model.blob import Blob
from jobengine.model.extra import Extra, Failure
from jobengine.model.job import NEVER, Job
from jobengine.model.states import State
from jobengine.web.v2.durations import in_seconds, time_text

_json: Final = msgspec.json.encode
_INPROGRESS: Final = State.INPROGRESS  # a look at a member of an Enum costs as much as formatting a field
_FAILED: Final = State.FAILED


class Shown(Struct, frozen=True, gc=False):
    """What of a job is not said in the job itself, or not to everybody."""

    lease: bool = False  # the caller holds it: it is told the lease's id
    deduplicated: bool = False  # it was there before it was to be made
    asked: bool = False  # what is asked of its holder is said, too


AS_IT_IS: Final = Shown()
TO_ITS_HOLDER: Final = Shown(lease=True)
TO_WHO_EXTENDS: Final = Shown(lease=True, asked=True)
KNOWN: Final = Shown(deduplicated=True)


def job_json(
    job: Job, content: bytes, result: bytes | None, how: Shown = AS_IT_IS, *, saved: bytes | None = None
) -> bytes:
    """The job as JSON. `content`, `result` and `saved` are the job's own, wherever they stand."""
    plain = (
        b'{"uid":"%b","queue":"%b","state":"%b","priority":%d,"content":%b,'
        b'"created":"%b","last_updated":"%b","attempt":%d'
        % (
            job.uid.encode(),
            job.queue.encode(),
            job.state.encode(),
            job.priority,
            content,
            time_text(job.created),
            time_text(job.updated),
            job.attempt,
        )
    )
    if job.expires != NEVER:
        plain += b',"expires":"%b"' % time_text(job.expires)
    if job.state is _INPROGRESS:
        plain += b',"lease":%b' % _lease(job, with_id=how.lease)
    if job.extra is not None or job.state is _FAILED or how.deduplicated or how.asked:
        plain += b"".join(b',"%b":%b' % pair for pair in _more(job, result, how))
    if saved is not None:
        plain += b',"saved":%b' % saved
    return plain + b"}"


def _lease(job: Job, *, with_id: bool) -> bytes:
    id_ = b'"id":"%016x",' % job.lease if with_id else b""
    worker = b"" if job.worker is None else b',"worker":%b' % _json(job.worker)
    service = b"" if job.claimer is None else b',"service":%b' % _json(job.claimer)
    return b'{%b"epoch":%d,"expires":"%b"%b%b}' % (
        id_,
        job.epoch,
        time_text(job.lease_ends),
        service,
        worker,
    )


def _more(job: Job, result: bytes | None, how: Shown) -> Iterator[tuple[bytes, bytes]]:
    """What a plain job has nothing of, as names and JSON."""
    if job.reason is not None:
        yield b"reason", _json(job.reason)
    if job.extra is not None:
        yield from _extra(job.extra)
    if result is not None:
        yield b"result", result
    if how.deduplicated:
        yield b"deduplicated", b"true"
    if how.asked or job.more.is_to_stop:
        yield b"control", _json(job.more.asked)


def _extra(extra: Extra) -> Iterator[tuple[bytes, bytes]]:
    yield from _conditions(extra)
    if extra.tags:
        yield b"tags", _json(extra.tags)
    if extra.unique is not None:
        yield b"unique_key", _json(extra.unique.key)
    if extra.progress is not None:
        yield b"progress", extra.progress
    if extra.failures:
        yield b"errors", _json([_failure(failure) for failure in extra.failures])
    if extra.died_in is not None:
        yield b"died_in", _json(extra.died_in)


def _conditions(extra: Extra) -> Iterator[tuple[bytes, bytes]]:
    """When it is handed out, how often, and how long."""
    if extra.not_before:
        yield b"not_before", b'"%b"' % time_text(extra.not_before)
    if extra.halted:
        yield b"halted", b"true"
    if extra.max_attempts:
        yield b"max_attempts", b"%d" % extra.max_attempts
    if extra.timeout:
        yield b"timeout", _json(in_seconds(extra.timeout))
    if extra.backoff is not None:
        yield b"backoff", _json(backoff_view(extra.backoff))


def backoff_view(backoff: Backoff) -> Any:
    """As it is written when a job is made."""
    if backoff.delays:
        return [in_seconds(delay) for delay in backoff.delays]
    return {
        "from": in_seconds(backoff.first),
        "factor": backoff.factor,
        "to": in_seconds(backoff.most),
        "jitter": backoff.jitter,
    }


def _failure(failure: Failure) -> dict[str, object]:
    said = {"kind": failure.kind, "text": failure.text, "worker": failure.worker}
    return {
        "attempt": failure.attempt,
        "time": time_text(failure.time).decode(),
        "reason": failure.reason,
        **{name: value for name, value in said.items() if value},
    }


async def shown(engine: Engine, job: Job, how: Shown = AS_IT_IS) -> bytes:
    """The job as JSON, its big values fetched. Raises Damaged."""
    content = job.content if isinstance(job.content, bytes) else await engine.content(job.content)
    result = None if job.extra is None else job.extra.result
    if isinstance(result, Blob):
        result = await engine.content(result)
    saved = job.more.saved if how.lease and job.state is _INPROGRESS else None
    if isinstance(saved, Blob):
        saved = await engine.content(saved)
    return job_json(job, content, result, how, saved=saved)


def listed(jobs: list[bytes]) -> bytes:
    """Several jobs, each as JSON."""
    return b'{"jobs":[%b]}' % b",".join(jobs)


def gone_json(uid: str, queue: str) -> bytes:
    """A job that was made, and is gone."""
    return b'{"uid":"%b","queue":"%b","state":"gone"}' % (uid.encode(), queue.encode())


def location(job: Job) -> bytes:
    """The header that tells where a job is found."""
    return b"Location: /api/v2/queues/%b/jobs/%b\r\n" % (job.queue.encode(), job.uid.encode())


async def all_shown(engine: Engine, jobs: Iterable[Job], how: Shown = AS_IT_IS) -> list[bytes]:
    """The jobs as JSON, their big values fetched. Raises Damaged."""
    return [
        job_json(job, job.content, None, how)
        if job.extra is None and isinstance(job.content, bytes)
        else await shown(engine, job, how)
        for job in jobs
    ]
