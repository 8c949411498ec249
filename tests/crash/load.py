"""The process of the clients. It keeps the ledger, and outlives every server.

For each line on its input (`Go`, as JSON) its clients ask the server at that port for all sorts of things,
until the server is gone; then it says `done`.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from random import Random

import msgspec
from msgspec import Struct

from tests.crash.ledger import LedgerWriter
from tests.crash.operations import Claim, Create, Delete, Get, Operation, Update, content, read_job
from tests.support.connection import Answer
from tests.support.service import Service

QUEUE = "ordeal"
READERS = tuple(f"reader-{number}" for number in range(4))
WRITERS = tuple(f"writer-{number}" for number in range(4))

VALID_SECONDS = 30 * 24 * 3600
JOBS_WANTED = 150  # in the queue, about
SMALL_BYTES = 100
LARGE_BYTES = 20_000  # over the 16 KiB from which on a value is kept apart

Jobs = dict[str, int]  # uid → number, of the jobs that the clients know


class Go(Struct):
    """Ask the server at this port; it holds these jobs. Write the ledger there."""

    port: int
    ledger: str
    jobs: Jobs


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


class Writer(Client):
    """Creates, changes and deletes jobs."""

    def choose(self, jobs: list[tuple[str, int]]) -> Operation:
        """Delete more than it creates when there are many."""
        chance = self.random.random()
        if not jobs or chance < (0.2 if len(jobs) > JOBS_WANTED else 0.6):
            return Create(self.name, self.random.randint(1, 100), self.some_size())
        uid, number = self.random.choice(jobs)
        if chance < 0.75:
            return self._update(uid, number)
        return Delete(self.name, number, uid)

    def _update(self, uid: str, number: int) -> Update:
        size, priority = self.some_size(), self.random.randint(1, 100)
        values: list[dict[str, str | int]] = [
            {"priority": priority},
            {"size": size},
            {"state": "queued"},
            {"state": "complete", "size": size},
            {"state": "failed"},
            {"state": "inprogress", "priority": priority},
        ]
        return Update(self.name, True, number, uid, **self.random.choice(values))  # type: ignore[arg-type]


class Reader(Client):
    """Claims jobs, and ends them, now or after a restart."""

    def __init__(self, name: str, ledger: LedgerWriter) -> None:
        super().__init__(name, ledger)
        self._held: Jobs = {}

    def choose(self, jobs: list[tuple[str, int]]) -> Operation:
        """End what it holds, sooner or later."""
        chance = self.random.random()
        if self._held and chance < 0.4:
            return self._settle()
        if jobs and chance > 0.8:
            uid, number = self.random.choice(jobs)
            return Get(self.name, number, uid)
        return Claim(self.name)

    def learn(self, operation: Operation, answer: Answer, jobs: Jobs) -> None:
        """What it holds, too."""
        super().learn(operation, answer, jobs)
        if isinstance(operation, Claim) and answer.status == 200:
            job = read_job(answer.body)
            self._held[job.uid] = job.number
        elif isinstance(operation, Update):
            self._held.pop(operation.uid, None)

    def _settle(self) -> Update:
        uid, number = self.random.choice(list(self._held.items()))
        state = self.random.choice(("complete", "complete", "failed", "queued"))
        size = self.some_size() if self.random.random() < 0.5 else None
        return Update(self.name, False, number, uid, state=state, size=size)


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


def _raw(job: int, written: int, size: int) -> msgspec.Raw:
    return msgspec.Raw(content(job, written=written, size=size))


def main() -> None:
    """Load one server after the other."""
    ledger = LedgerWriter()
    clients = [Writer(name, ledger) for name in WRITERS] + [Reader(name, ledger) for name in READERS]
    with ThreadPoolExecutor(len(clients)) as threads:
        for line in sys.stdin:
            go = msgspec.json.decode(line, type=Go)
            with ledger.open(Path(go.ledger)):
                running = [threads.submit(client.run, go.port, go.jobs) for client in clients]
                for client in running:
                    client.result()
            print("done", flush=True)


if __name__ == "__main__":
    main()
