"""A real engine on a simulated disk, under a clock that the test moves."""

import asyncio
import errno
import os
from collections.abc import Coroutine, Iterable
from pathlib import Path
from threading import Event
from typing import Any, TypeVar

from jobengine.engine.local import LocalEngine
from jobengine.errors import Fatal
from jobengine.journal.journal import Journal
from jobengine.journal.keys import Secret
from jobengine.model.commands import Claim, Command, Configure, Update
from jobengine.model.job import Job
from jobengine.model.ledger import Ledger
from jobengine.model.queue import Queue
from tests.support.clock import MovedTime
from tests.support.commands import create, only_job, plain
from tests.support.disk import SimulatedDisk

AnswerT = TypeVar("AnswerT")

SECRET_TEXT = "hex:" + "5c" * 32
PATH = Path("/simulated/jobs.queuedb")
MINUTE_MS = 60_000
MAIL = Queue(name="mail", keep=60 * MINUTE_MS, lease=10 * MINUTE_MS)


class GuardedDisk:
    """Passes all calls on to a disk; syncs can be held, and made to fail."""

    def __init__(self, disk: SimulatedDisk) -> None:
        self.disk = disk
        self.sync_fails = False
        self._held: int | None = None
        self._let_go = Event()
        self._let_go.set()
        self._writes_let_go = Event()
        self._writes_let_go.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.disk, name)

    def hold_syncs(self, file: int | None = None) -> None:
        """Let no sync return; or none of this file."""
        self._held = file
        self._let_go.clear()

    def let_syncs_go(self) -> None:
        """Let them return again."""
        self._let_go.set()

    def hold_writes(self) -> None:
        """Let no write begin."""
        self._writes_let_go.clear()

    def let_writes_go(self) -> None:
        """Let them begin again."""
        self._writes_let_go.set()

    def fill(self) -> None:
        """No byte more."""
        self.disk.room = 0

    def make_room(self) -> None:
        """As many as anybody likes."""
        self.disk.room = None

    def write(self, file: int, data: bytes | memoryview, offset: int) -> int:
        """Write, when the test lets it."""
        self._writes_let_go.wait()
        return self.disk.write(file, data, offset)

    def sync(self, file: int) -> None:
        """Bring the file to the disk, when the test lets it."""
        if self._held in (None, file):
            self._let_go.wait()
        if self.sync_fails:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self.disk.sync(file)


class Broker:
    """An engine, and all that it stands on."""

    def __init__(
        self,
        disk: SimulatedDisk | None = None,
        *,
        time: MovedTime | None = None,
        bytes_limit: int | None = None,
    ) -> None:
        self.disk = GuardedDisk(disk or SimulatedDisk())
        self.time = time or MovedTime()
        self.ledger, journal = recovered(self.disk, self.time)
        self.ledger.bytes_limit = bytes_limit
        self.engine = LocalEngine(self.ledger, journal, self.time.clock(at_least=journal.last_time))
        self.failures: list[Fatal] = []

    async def __aenter__(self) -> "Broker":
        return self.start()

    async def __aexit__(self, *_: object) -> None:
        self.disk.let_writes_go()
        self.disk.let_syncs_go()
        self.disk.make_room()
        await self.engine.stop()

    def start(self) -> "Broker":
        """Begin to take commands."""
        self.engine.start(on_failure=self.failures.append)
        return self

    async def configure(self, *queues: Queue) -> None:
        """These are the queues."""
        await self.engine.submit(Configure(queues or (MAIL,)))

    async def create(
        self, *, priority: int = 50, valid_for: int = MINUTE_MS, content: bytes = b"{}", queue: str = "mail"
    ) -> Job:
        """A new job."""
        created = await self.engine.submit(create(queue, content, priority, valid_for))
        return created.jobs[0]

    async def claim(self, claimer: str = "reader", *, queue: str = "mail") -> Job | None:
        """The next job."""
        return only_job(await self.engine.submit(Claim(queue, claimer)))

    async def update(self, job: Job, **named: Any) -> Job:
        """The job after a writer's update of what is named."""
        return await self.engine.submit(Update(job.queue, job.uid, "writer", may_write=True, **named))

    async def submit_all(self, commands: Iterable[Command]) -> list[Any]:
        """One after the other."""
        return [plain(await self.engine.submit(command)) for command in commands]

    async def jobs(self, queue: str = "mail") -> list[Job]:
        """The list of a queue."""
        return [job async for some in self.engine.slices(queue) for job in some.jobs]

    def replayed(self) -> Ledger:
        """What a start would find after the process was killed now."""
        left = self.disk.disk.kill()
        left.room = None
        ledger, _ = recovered(GuardedDisk(left), self.time)
        return ledger


def recovered(disk: GuardedDisk, time: MovedTime) -> tuple[Ledger, Journal]:
    """A ledger, ready to be asked, and the journal that it came from."""
    ledger = Ledger()
    journal = Journal.open(
        PATH, Secret.parse(SECRET_TEXT), replay=ledger.replay, files=disk, wall_ms=lambda: time.wall_ms
    )
    ledger.index()
    return ledger, journal


async def asked(question: Coroutine[Any, Any, AnswerT]) -> "asyncio.Task[AnswerT]":
    """The question, and time enough for an answer that waits for nothing."""
    asking = asyncio.create_task(question)
    for _ in range(20):
        await asyncio.sleep(0)
    return asking
