"""Four hundred operations: all that an engine does in its life, a compaction and a restart among it."""

import asyncio
from contextlib import suppress
from random import Random
from typing import Any, Final, cast

from jobengine.engine.local import LocalEngine
from jobengine.errors import BadState, LeaseLost, LogFull, NotFound
from jobengine.journal.files import Files
from jobengine.journal.journal import Journal
from jobengine.journal.keys import Secret
from jobengine.model.backoff import Backoff
from jobengine.model.commands import (
    Act,
    Amend,
    Claim,
    Command,
    Complete,
    Configure,
    Control,
    Create,
    Created,
    Draft,
    Extend,
    Fail,
    Idempotency,
    Log,
    Options,
    Progress,
    Release,
    Settle,
    Settlement,
    Steer,
    Sweep,
    Update,
)
from jobengine.model.job import Job
from jobengine.model.ledger import Ledger
from jobengine.model.log import Stream
from jobengine.model.queue import Queue
from jobengine.model.states import State
from tests.power.disk import ObservedDisk
from tests.power.oracle import Oracle, WatchedJournal
from tests.support.brokers import MINUTE_MS, PATH, SECRET_TEXT
from tests.support.clock import MovedTime
from tests.support.commands import create, delete

OPERATIONS: Final = 400
SECRET: Final = Secret.parse(SECRET_TEXT)
MAIL: Final = Queue(name="mail", keep=5 * MINUTE_MS, lease=2 * MINUTE_MS)
RENDER: Final = Queue(name="render", keep=MINUTE_MS, lease=MINUTE_MS, max_attempts=2, dead_letter="mail")
BRIEF: Final = Queue(name="brief", keep=1000, lease=1000)
JOBS_WANTED: Final = 30
BIG_BYTES: Final = 18_000


class Story:
    """Tells itself to an engine on this disk. The same each time, but for what happens at the same moment."""

    def __init__(self, disk: ObservedDisk, oracle: Oracle) -> None:
        self.operations = 0
        self._disk = disk
        self._oracle = oracle
        self._random = Random("story")
        self._time = MovedTime()
        self._queues: tuple[Queue, ...] = (MAIL, RENDER)
        self._jobs: dict[str, Job] = {}  # that may be there
        self._failures: list[object] = []

    async def tell(self) -> None:
        """From an empty disk to a closed file."""
        self._start()
        await self._configure(MAIL, RENDER)
        await self._live(140)
        compaction = asyncio.create_task(self._engine.compact())
        await self._live(200)
        await compaction
        await self._configure(MAIL, BRIEF, RENDER)
        await self._live(280)
        await self._engine.stop()
        self._start()
        await self._live(340)
        await self._configure(MAIL, RENDER)  # a queue goes, with its jobs
        await self._live(OPERATIONS)
        await self._engine.stop()
        assert not self._failures

    def _start(self) -> None:
        ledger = Ledger()
        journal = Journal.open(
            PATH,
            SECRET,
            replay=ledger.replay,
            files=cast("Files", self._disk),
            wall_ms=lambda: self._time.wall_ms,
        )
        ledger.index()
        watched = cast("Journal", WatchedJournal(journal, self._oracle))
        self._engine = LocalEngine(ledger, watched, self._time.clock(at_least=journal.last_time))
        self._engine.start(on_failure=self._failures.append)

    async def _configure(self, *queues: Queue) -> None:
        self._queues = queues
        await self._ask(Configure(queues))

    async def _live(self, until: int) -> None:
        """Ask until there have been so many operations; now and then a few at once."""
        while self.operations < until:
            at_once = min(self._random.choice((1, 1, 2, 4)), until - self.operations)
            await asyncio.gather(*(self._ask(self._command()) for _ in range(at_once)))

    async def _ask(self, command: Command) -> None:
        self.operations += 1
        with suppress(NotFound, LeaseLost, LogFull, BadState):
            self._learn(command, await self._engine.submit(command))

    def _learn(self, command: Command, answer: Any) -> None:
        if isinstance(command, Control) and command.act is Act.DELETE:
            self._jobs.pop(command.uids[0], None)
            return
        jobs = answer.jobs if isinstance(answer, Created) else answer
        for job in jobs if isinstance(jobs, tuple) else (jobs,):
            if isinstance(job, Job):
                self._jobs[job.uid] = job

    def _command(self) -> Command:
        random = self._random
        queue = random.choice(self._queues).name
        chance = random.random()
        if not self._jobs or chance < (0.2 if len(self._jobs) > JOBS_WANTED else 0.5):
            return self._creating(queue)
        if chance < 0.65:
            return Claim(queue, f"reader-{random.randrange(3)}", random.choice((1, 1, 3)))
        if chance < 0.70:
            self._time.pass_ms(random.randint(1, 60_000))
            return Sweep(50)
        return self._about(self._jobs[random.choice(sorted(self._jobs))])

    def _creating(self, queue: str) -> Create:
        random = self._random
        if random.random() < 0.5:
            return create(queue, self._content(), random.randint(1, 100), random.randint(1, 20) * MINUTE_MS)
        options = Options(delay=random.choice((0, 30_000)), tags=("urgent",), backoff=Backoff(delays=(1000,)))
        drafts = tuple(Draft(self._content(), 50, None, options) for _ in range(random.choice((1, 3))))
        key = Idempotency(random.randbytes(16), random.randbytes(16))
        return Create(queue, drafts, key)

    def _about(self, job: Job) -> Command:
        """What a worker says of a job, or a writer does to it."""
        chance = self._random.random()
        if chance < 0.1:
            return self._log(job)
        if chance < 0.4:
            return Settle(job.queue, (self._settlement(job),))
        if chance < 0.7:
            return self._update(job)
        if chance < 0.8:
            return Amend(job.queue, job.uid, tags=("late",), content=self._content())
        if chance < 0.84:
            return Steer(job.queue, is_paused=self._random.random() < 0.2)
        if chance < 0.92:
            return Control(job.queue, (job.uid,), self._random.choice((Act.STOP, Act.RETRY, Act.CLONE)))
        return delete(job.queue, job.uid)

    def _log(self, job: Job) -> Log:
        """A piece, wherever the last one ended: some have gaps between them, some are there already."""
        stream, offset = self._random.choice(tuple(Stream)), self._random.choice((0, 0, 500, 40_000))
        return Log(job.queue, job.uid, job.lease, stream, offset, self._content())

    def _settlement(self, job: Job) -> Settlement:
        uid, lease = job.uid, job.lease
        return self._random.choice(
            (
                Complete(uid, lease, self._content()),
                Fail(uid, lease, "Odd", "it broke", result=self._content()),
                Release(uid, lease, saved=self._content()),
                Extend(uid, lease, MINUTE_MS),
                Progress(uid, lease, b"50"),
            )
        )

    def _update(self, job: Job) -> Update:
        values: list[dict[str, Any]] = [
            {"priority": self._random.randint(1, 100)},
            {"content": self._content()},
            {"state": State.QUEUED},
            {"state": State.COMPLETE, "content": b'{"done": true}'},
            {"state": State.FAILED},
        ]
        return Update(job.queue, job.uid, "writer", may_write=True, **self._random.choice(values))

    def _content(self) -> bytes:
        size = BIG_BYTES if self._random.random() < 0.06 else self._random.choice((20, 200, 900))
        return b'"' + self._random.randbytes(size // 2).hex().encode() + b'"'
