"""What the tests of this room need to tell their stories."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from jobengine.errors import Fatal
from jobengine.journal.journal import Journal
from jobengine.journal.keys import Secret
from jobengine.model.blob import Blob
from jobengine.model.changes import (
    AlterJob,
    AppendLog,
    Change,
    DropJob,
    DropKeys,
    DropLog,
    DropQueue,
    MoveJob,
    PutJob,
    PutKey,
    PutQueue,
    all_of,
    altered,
    moved,
)
from jobengine.model.job import Job, order_of
from jobengine.model.keys import Keys
from jobengine.model.log import Chunk, JobLog
from jobengine.model.queue import Queue
from jobengine.model.states import State
from tests.support.disk import SimulatedDisk

SECRET = Secret.parse("hex:" + "5c" * 32)
OTHER_SECRET = Secret.parse("hex:" + "5d" * 32)
PATH = Path("/simulated/jobs.queuedb")
ANCHOR = Path("/simulated/jobs.queuedb.anchor")
NEW = Path("/simulated/jobs.queuedb.new")
WALL_MS = 1_700_000_000_000

MAIL = Queue(name="mail", keep=60_000, lease=10_000)


def job(number: int, *, content: bytes | Blob = b'{"n": 1}', queue: str = "mail") -> Job:
    """A queued job."""
    return Job(
        uid=f"00000000-0000-7000-8000-{number:012}",
        queue=queue,
        state=State.QUEUED,
        order=order_of(priority=50, arrival=number),
        content=content,
        created=WALL_MS,
        updated=WALL_MS,
        expires=WALL_MS + 3_600_000,
    )


def put(number: int, *, content: bytes | Blob = b'{"n": 1}') -> list[Change]:
    """The changes of creating a job."""
    return [PutJob(job(number, content=content))]


class Book:
    """Queues and jobs as changes make them, in the simplest way."""

    def __init__(self) -> None:
        self.queues: dict[str, Queue] = {}
        self.jobs: dict[str, Job] = {}
        self.logs: dict[str, JobLog] = {}
        self.keys = Keys()

    def apply(self, changes: Sequence[Change]) -> None:  # noqa: C901  # a table
        """Let these changes have happened."""
        for change in changes:
            match change:
                case PutQueue(queue):
                    self.queues[queue.name] = queue
                case DropQueue(name):
                    self.queues.pop(name, None)  # a compaction tells of what went before it came there
                    self.jobs = {uid: job for uid, job in self.jobs.items() if job.queue != name}
                    self.logs = {uid: log for uid, log in self.logs.items() if uid in self.jobs}
                case PutJob(job):
                    self.jobs[job.uid] = job
                case MoveJob(uid=uid):
                    self.jobs[uid] = moved(self.jobs[uid], change)
                case AlterJob(MoveJob(uid=uid)):
                    self.jobs[uid] = altered(self.jobs[uid], change)
                case DropJob(uid=uid):
                    self.jobs.pop(uid, None)
                    self.logs.pop(uid, None)
                case AppendLog(_, uid, epoch, chunk):
                    self._append(uid, epoch, chunk)
                case DropLog(uid=uid):
                    self.logs.pop(uid, None)
                case PutKey(key):
                    self.keys.put(key)
                case DropKeys(number):
                    self.keys.drop(number)

    def _append(self, uid: str, epoch: int, chunk: Chunk) -> None:
        log = self.logs.get(uid)
        if log is None or log.epoch < epoch:
            log = JobLog(epoch)
        self.logs[uid] = log.appended(chunk) if log.epoch == epoch else log

    def snapshot(self) -> list[Change]:
        """The changes that make this book from an empty one."""
        queues: list[Change] = [PutQueue(queue) for queue in self.queues.values()]
        jobs = [change for job in self.jobs.values() for change in all_of(job, self.logs.get(job.uid))]
        return [*queues, *jobs, *map(PutKey, self.keys.behind(0, len(self.keys)))]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Book) and self._held() == other._held()

    def _held(self) -> tuple[object, ...]:
        return self.queues, self.jobs, self.logs, self.keys.behind(0, len(self.keys))

    __hash__ = None  # type: ignore[assignment]  # it changes


class Scene:
    """An open journal, what was in it, and what it told while it ran."""

    def __init__(self, disk: SimulatedDisk, *, secret: Secret = SECRET, keep_old_files: int = 0) -> None:
        self.book = Book()
        self.rollbacks: list[int] = []
        self.failures: list[Fatal] = []
        self.journal = Journal.open(
            PATH,
            secret,
            replay=self.book.apply,
            files=disk,
            wall_ms=lambda: WALL_MS,
            keep_old_files=keep_old_files,
        )

    def start(self) -> "Scene":
        """Begin to take changes."""
        self.journal.start(
            now=lambda: WALL_MS, on_rollback=self.rollbacks.append, on_failure=self.failures.append
        )
        return self

    @property
    def warnings(self) -> tuple[str, ...]:
        """What opening warned of."""
        return self.journal.report.warnings


async def compact(journal: Journal, snapshot: Iterable[Change], **options: Any) -> None:
    """Let the file hold these changes and nothing else."""
    successor = await journal.succession.begin(**{"live_bytes": 0, **options})
    try:
        for change in snapshot:
            for blob in _blobs(change):
                await journal.succession.copy_blob(blob, successor)
            successor.take([change])
            if successor.is_full:
                await journal.succession.flush(successor)
        assert await journal.succession.install(successor, is_ready=lambda: True)
    finally:
        await journal.succession.abandon(successor)


def _blobs(change: Change) -> tuple[Blob, ...]:
    match change:
        case PutJob(job):
            return job.blobs
        case AppendLog(chunk=Chunk(data=Blob() as blob)):
            return (blob,)
        case _:
            return ()


async def filled(disk: SimulatedDisk, jobs: int = 3) -> Scene:
    """A running journal with a queue and some jobs, each a commit of its own."""
    scene = Scene(disk).start()
    await scene.journal.append([PutQueue(MAIL)])
    for number in range(jobs):
        await scene.journal.append(put(number))
    return scene


async def disk_with(jobs: int = 3, *, sealed: bool = False) -> SimulatedDisk:
    """A disk whose process was killed after so many jobs, or closed its file in good order."""
    disk = SimulatedDisk()
    scene = await filled(disk, jobs)
    left = disk.kill()
    await scene.journal.close()
    return disk.kill() if sealed else left
