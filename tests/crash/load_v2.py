"""Clients of API v2: lists, claims that wait, settlements in batches, also with leases of long ago; creates
with uids of their own, repeated over restarts; logs, written piece by piece, the last piece once more.

The ledger knows jobs one by one: a request about several of them is an operation for each. What API v2 shows
is written down as API v1 would show it, and the lease beside it.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from tests.crash.client import JOBS_WANTED, QUEUE, VALID_SECONDS, Client, Jobs
from tests.crash.ledger import LedgerWriter
from tests.crash.operations import Again, Append, Claim, Create, Operation, Settle, content
from tests.support.connection import Answer
from tests.support.service import JSON, Service

AT_ONCE: Final = 3
LEASES_KEPT: Final = 20  # some of them are over
CREATES_KEPT: Final = 5  # that are sent again
OCTETS: Final = "application/octet-stream"
BASE: Final = f"/api/v2/queues/{QUEUE}"

Lease = tuple[str, int, str]  # uid, number of the job, and the lease


class _Held(Struct, frozen=True):
    id: str | None = None  # which only the holder is told


class _Job(Struct, frozen=True):
    uid: str
    state: str
    priority: int
    content: Raw
    created: datetime
    last_updated: datetime
    expires: datetime
    lease: _Held | None = None

    def as_v1(self) -> bytes:
        created, updated = int(self.created.timestamp()), int(self.last_updated.timestamp())
        is_touched = self.last_updated != self.created
        shown = {
            "uid": self.uid,
            "state": self.state,
            "priority": self.priority,
            "content": self.content,
            "created": created,
            "last_updated": max(updated, created + 1) if is_touched else created,
            "timeout_time": int(self.expires.timestamp()),
            "lease": None if self.lease is None else self.lease.id,
        }
        return msgspec.json.encode(shown)


class _Jobs(Struct, frozen=True):
    jobs: list[_Job]


class _Result(Struct, frozen=True):
    status: int
    job: _Job | None = None


class _Results(Struct, frozen=True):
    results: list[_Result]


class Worker(Client):
    """Makes jobs in lists, waits for some, and settles several at once."""

    def __init__(self, name: str, ledger: LedgerWriter) -> None:
        super().__init__(name, ledger)
        self._leases: list[Lease] = []
        self._made: list[Again] = []
        self._last: dict[str, Append] = {}  # by lease; whether it came to be is not always known

    def run(self, port: int, jobs: Jobs) -> None:
        """Ask one thing after another, until the server is gone."""
        with suppress(ConnectionError), Service(port, self.name, QUEUE) as service:
            while not self._step(service, jobs).closes:
                pass

    def _step(self, service: Service, jobs: Jobs) -> Answer:
        chance = self.random.random()
        if chance < (0 if len(jobs) > JOBS_WANTED else 0.25):
            return self._create(service, jobs)
        if chance < (0.02 if len(jobs) > JOBS_WANTED else 0.35):
            return self._create_again(service, jobs)
        if self._leases and chance > 0.7:
            return self._settle(service)
        if self._leases and chance > 0.5:
            return self._write(service)
        return self._claim(service)

    def _create(self, service: Service, jobs: Jobs) -> Answer:
        asked = [Create(self.name, self.random.randint(1, 100), self.some_size()) for _ in range(AT_ONCE)]
        numbers = self._intend(asked)
        drafts = [
            {
                "content": Raw(content(number, written=number, size=create.size)),
                "priority": create.priority,
                "valid_for": VALID_SECONDS,
            }
            for number, create in zip(numbers, asked, strict=True)
        ]
        answer = self._post(service, "/jobs", drafts)
        made = msgspec.json.decode(answer.body, type=_Jobs).jobs if answer.status == 201 else []
        for number, job in zip(numbers, made, strict=False):
            self._ledger.conclude(number, 201, job.as_v1())
            jobs[job.uid] = number
        self._conclude(numbers[len(made) :], answer)
        return answer

    def _create_again(self, service: Service, jobs: Jobs) -> Answer:
        """A job with a uid of its own, perhaps one that was sent before."""
        if self._made and self.random.random() < 0.5:
            again = self.random.choice(self._made)
            number = self._ledger.intend(again)
        else:
            number = self._ledger.intend(
                Create(self.name, priority := self.random.randint(1, 100), size := self.some_size())
            )
            uid = str(UUID(int=self.random.getrandbits(128), version=4))
            again = Again(self.name, number, uid, priority, size)
            self._made = [*self._made, again][-CREATES_KEPT:]
        draft = {
            "uid": again.uid,
            "content": Raw(content(again.job, written=again.job, size=again.size)),
            "priority": again.priority,
            "valid_for": VALID_SECONDS,
        }
        answer = self._post(service, "/jobs", draft)
        if answer.status in (200, 201):
            jobs[again.uid] = again.job
            self._ledger.conclude(number, answer.status, msgspec.json.decode(answer.body, type=_Job).as_v1())
        else:
            self._conclude([number], answer)
        return answer

    def _write(self, service: Service) -> Answer:
        """The next piece of a log; the last one again when nobody knows whether it came to be."""
        uid, job, lease = self.random.choice(self._leases)
        append = self._last.get(lease) or Append(self.name, job, uid, lease, 0, self._text())
        number = self._ledger.intend(append)
        self._last[lease] = append
        target = f"{BASE}/jobs/{uid}/log?stream=out&offset={append.offset}"
        answer = service.ask("POST", target, append.text.encode(), Content_Type=OCTETS, X_Lease=lease)
        self._conclude([number], answer)
        if answer.status == 204 and self.random.random() < 0.8:
            end = append.offset + len(append.text)
            self._last[lease] = Append(self.name, job, uid, lease, end, self._text())
        return answer

    def _text(self) -> str:
        return f"{self.random.random()}\n" * (self.some_size() // 20)

    def _claim(self, service: Service) -> Answer:
        numbers = self._intend([Claim(self.name) for _ in range(AT_ONCE)])
        wait = self.random.choice((0, 0.2))
        answer = self._post(service, "/claim", {"max": AT_ONCE, "wait": wait, "lease": "24h"})
        got = msgspec.json.decode(answer.body, type=_Jobs).jobs if answer.status == 200 else []
        for number, job in zip(numbers, got, strict=False):
            self._ledger.conclude(number, 200, job.as_v1())
            assert job.lease is not None
            assert job.lease.id is not None
            self._leases.append((job.uid, msgspec.json.decode(job.content)["job"], job.lease.id))
        for number in numbers[len(got) :]:
            self._ledger.conclude(number, 204 if got else answer.status, b"")
        del self._leases[:-LEASES_KEPT]
        self._last = {lease: self._last[lease] for _, _, lease in self._leases if lease in self._last}
        return answer

    def _settle(self, service: Service) -> Answer:
        leases = self.random.sample(self._leases, min(AT_ONCE, len(self._leases)))
        verb = self.random.choice(("complete", "complete", "fail", "release"))
        numbers = self._intend([Settle(self.name, job, uid, lease, verb) for uid, job, lease in leases])
        body = {verb: [{"uid": uid, "lease": lease} for uid, _, lease in leases]}
        answer = self._post(service, "/settle", body)
        done = msgspec.json.decode(answer.body, type=_Results).results if answer.status == 200 else []
        for number, result in zip(numbers, done, strict=False):
            self._ledger.conclude(number, result.status, b"" if result.job is None else result.job.as_v1())
        self._conclude(numbers[len(done) :], answer)
        return answer

    def _intend(self, operations: Sequence[Operation]) -> list[int]:
        return [self._ledger.intend(operation) for operation in operations]

    def _conclude(self, numbers: Sequence[int], answer: Answer) -> None:
        for number in numbers:
            self._ledger.conclude(number, answer.status, answer.body)

    def _post(self, service: Service, path: str, body: Any) -> Answer:
        return service.ask("POST", BASE + path, msgspec.json.encode(body), Content_Type=JSON)
