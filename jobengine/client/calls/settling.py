"""What holders say of their jobs."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from jobengine.client import values
from jobengine.client.calls.batches import batches
from jobengine.client.calls.paths import job_path, queue_path
from jobengine.client.exchange import Call, Request, Response, decoded, decoded_job
from jobengine.client.job import Asked, Held, Job, held
from jobengine.client.refusals import Document, error_of
from jobengine.client.results import Settled
from jobengine.client.settlements import (
    LEASE_SECONDS,
    Completed,
    Extended,
    Failed,
    Progressed,
    Released,
    Settlement,
)
from jobengine.client.values import Duration

# The order in which the broker does them, and answers.
VERBS: Final = (Completed.verb, Failed.verb, Released.verb, Extended.verb, Progressed.verb)


class _Result(Struct):
    uid: str
    status: int
    job: Job | None = None
    problem: Document | None = None
    control: Asked | None = None


class _Results(Struct):
    results: list[_Result]


class _Part(Struct, frozen=True):
    """One settlement, ready to be sent."""

    place: int  # in what the caller gave
    verb: str
    wire: bytes


_RESULTS: Final = msgspec.json.Decoder(_Results)


def settle(queue: str, settlements: Sequence[Settlement], *, with_jobs: bool = True) -> Call[list[Settled]]:
    """Say many things at once. Each is done or refused by itself: answered in the order given.

    The broker does them in the order Completed, Failed, Released, Extended, Progressed. Without `with_jobs`
    the answers hold no jobs, which is quicker.
    """
    settled: dict[int, Settled] = {}
    headers = {} if with_jobs else {"Prefer": "return=minimal"}
    for batch in batches(_parts(settlements), size=lambda part: len(part.wire)):
        response = yield Request("POST", queue_path(queue, "settle"), _body(batch), headers)
        settled.update(zip((part.place for part in batch), _outcomes(response), strict=True))
    return [settled[place] for place in range(len(settlements))]


def _parts(settlements: Sequence[Settlement]) -> list[_Part]:
    parts = [_Part(place, each.verb, values.json(each.wire())) for place, each in enumerate(settlements)]
    return sorted(parts, key=lambda part: VERBS.index(part.verb))


def _body(batch: Iterable[_Part]) -> bytes:
    by_verb: dict[str, list[bytes]] = {}
    for part in batch:
        by_verb.setdefault(part.verb, []).append(part.wire)
    return b"{%b}" % b",".join(
        b'"%b":[%b]' % (verb.encode(), b",".join(each)) for verb, each in by_verb.items()
    )


def _outcomes(response: Response) -> list[Settled]:
    return [
        Settled(
            uid=result.uid,
            job=result.job,
            error=None if result.problem is None else error_of(result.problem, status=result.status),
            control=result.control,
        )
        for result in decoded(response, _RESULTS).results
    ]


def _one(settlement: Settlement) -> Call[Job]:
    holder = held(settlement.job)
    path = job_path(holder.queue, holder.uid, settlement.verb)
    response = yield Request("POST", path, values.json({"lease": holder.lease, **settlement.fields()}))
    return decoded_job(response)


def complete(job: Job | Held, result: Any = None) -> Call[Job]:
    """A claimed job is done. Raises LeaseLost: then it is not the caller's any more."""
    return _one(Completed(job, result))


def fail(
    job: Job | Held,
    text: str = "",
    *,
    kind: str = "",
    retry: bool | None = None,
    delay: Duration | None = None,
    result: Any = None,
) -> Call[Job]:
    """A claimed job did not work. It is tried again as the queue or the caller says. Raises LeaseLost."""
    return _one(Failed(job, text, kind, retry, delay, result))


def release(job: Job | Held, *, delay: Duration = 0, saved: Any = None) -> Call[Job]:
    """Give a claimed job back, to its old place; this was no attempt. Raises LeaseLost.

    Who gets it next is given what is `saved`, with the job.
    """
    return _one(Released(job, delay, saved))


def extend(job: Job | Held, by: Duration = LEASE_SECONDS) -> Call[Job]:
    """Keep a claimed job for so long from now on; `control` says what is asked of it. Raises LeaseLost."""
    return _one(Extended(job, by))


def progress(job: Job | Held, progress: Any) -> Call[Job]:
    """Say how far a claimed job has come; `control` says what is asked of it. Raises LeaseLost."""
    return _one(Progressed(job, progress))
