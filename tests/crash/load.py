"""The process of the clients. It keeps the ledger, and outlives every server.

For each line on its input (`Go`, as JSON) its clients ask the server at that port for all sorts of things,
until the server is gone; then it says `done`.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
from msgspec import Struct

from tests.crash.client import JOBS_WANTED, Client, Jobs
from tests.crash.ledger import LedgerWriter
from tests.crash.load_v2 import Worker
from tests.crash.operations import Claim, Create, Delete, Get, Operation, Update, read_job
from tests.support.connection import Answer

READERS = tuple(f"reader-{number}" for number in range(3))
WRITERS = tuple(f"writer-{number}" for number in range(3))
WORKERS = tuple(f"worker-{number}" for number in range(3))  # they speak API v2


class Go(Struct):
    """Ask the server at this port; it holds these jobs. Write the ledger there."""

    port: int
    ledger: str
    jobs: Jobs


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


def main() -> None:
    """Load one server after the other."""
    ledger = LedgerWriter()
    clients: list[Client] = [
        *(Writer(name, ledger) for name in WRITERS),
        *(Reader(name, ledger) for name in READERS),
        *(Worker(name, ledger) for name in WORKERS),
    ]
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
