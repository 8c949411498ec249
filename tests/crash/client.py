"""A service that asks one thing after another, and keeps the ledger of it."""

from contextlib import suppress
from random import Random

import msgspec

from tests.crash.ledger import LedgerWriter
from tests.crash.operations import (
    Again,
    Append,
    Claim,
    Create,
    Delete,
    Get,
    Operation,
    Settle,
    Update,
    content,
    read_job,
)
from tests.support.connection import Answer
from tests.support.service import Service

QUEUE = "ordeal"
VALID_SECONDS = 30 * 24 * 3600
JOBS_WANTED = 150  # in the queue, about
SMALL_BYTES = 100
LARGE_BYTES = 20_000  # over the 16 KiB from which on a value is kept apart

Jobs = dict[str, int]  # uid → number, of the jobs that the clients know


class Client:
    """One service, with one connection to each server. `choose` says what it asks next."""

    def __init__(self, name: str, ledger: LedgerWriter) -> None:
        self.name = name
        self.random = Random(name)
        self._ledger = ledger

    def run(self, port: int, jobs: Jobs) -> None:
        """Ask one thing after another, until the server is gone."""
        with suppress(ConnectionError), Service(port, self.name, QUEUE) as service:
            is_open = True
            while is_open:
                operation = self.choose(list(jobs.items()))
                answer = self._ask(service, operation)
                self.learn(operation, answer, jobs)
                is_open = not answer.closes

    def choose(self, jobs: list[tuple[str, int]]) -> Operation:
        """What to ask next, when these jobs were there a moment ago."""
        raise NotImplementedError

    def learn(self, operation: Operation, answer: Answer, jobs: Jobs) -> None:
        """What the answer tells about the jobs that there are."""
        if answer.status in (200, 201):
            job = read_job(answer.body)
            jobs[job.uid] = job.number
        elif isinstance(operation, Delete | Get | Update) and answer.status in (204, 404):
            jobs.pop(operation.uid, None)

    def some_size(self) -> int:
        """The size of a content."""
        return LARGE_BYTES if self.random.random() < 0.15 else SMALL_BYTES

    def _ask(self, service: Service, operation: Operation) -> Answer:
        number = self._ledger.intend(operation)
        answer = _send(service, number, operation)
        self._ledger.conclude(number, answer.status, answer.body)
        return answer


def _send(service: Service, number: int, operation: Operation) -> Answer:
    match operation:
        case Create(_, priority, size):
            body = {"content": _raw(number, number, size), "valid_for": VALID_SECONDS, "priority": priority}
            return service.send_create(msgspec.json.encode(body))
        case Claim():
            return service.ask("GET", "/api/v1/jobs/next")
        case Update(job=job, size=size):
            named = {
                "status": operation.state,
                "priority": operation.priority,
                "content": None if size is None else _raw(job, number, size),
            }
            body = {name: value for name, value in named.items() if value is not None}
            return service.send_update(operation.uid, msgspec.json.encode(body))
        case Delete(uid=uid):
            return service.ask("DELETE", f"/api/v1/jobs/{uid}")
        case Get(uid=uid):
            return service.ask("GET", f"/api/v1/jobs/{uid}")
        case Settle() | Again() | Append():
            raise AssertionError("API v1 knows no leases, and no uids of the caller's own")


def _raw(job: int, written: int, size: int) -> msgspec.Raw:
    return msgspec.Raw(content(job, written=written, size=size))
