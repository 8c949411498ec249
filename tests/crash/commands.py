"""The commands that write whole files, killed at any point: what is there then is the old or the new, whole.

Each is run once to its end, which tells how long it takes and what comes of it. Then it is killed, looked at,
and run again in what that kill has left.
"""

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count, cycle
from pathlib import Path
from random import Random
from typing import Final

from msgspec import Struct

from jobengine.errors import Damaged, WrongSecret
from jobengine.journal.files import beside
from jobengine.journal.journal import Journal
from jobengine.journal.keys import Secret
from jobengine.model.blob import Blob
from jobengine.model.changes import PutJob, PutQueue
from jobengine.model.job import Job
from tests.crash.forked import Forked
from tests.crash.renewals import opens
from tests.journal.damage import flipped
from tests.journal.scenes import MAIL, WALL_MS, Book, job, put
from tests.power.oracle import placeless
from tests.soak.part import Violation
from tests.support.server import SECRET

NEW_SECRET: Final = "hex:" + "a5" * 32
DATABASE, COPY, BACKUP = "jobs.queuedb", "copy.queuedb", "backup.queuedb"
JOBS: Final = 60
BIG_BYTES: Final = 300_000
END_SECONDS: Final = 30.0


class Found(Struct, frozen=True):
    """What the next start would find."""

    secret: str  # that opens the file
    jobs: dict[str, Job] | None  # by uid, wherever their big values stand; None when it is damaged


class Command(Struct, frozen=True):
    """One that is killed."""

    words: tuple[str, ...]
    target: str = DATABASE  # the file that it writes
    is_damaged: bool = False  # the database, before it
    secrets: tuple[str, ...] = (SECRET,)  # exactly one of them opens the target, at any time
    keeps: bool = True  # what the database held before is in some file all the time


COMMANDS: Final = {
    "backup": Command(("backup", BACKUP, "--overwrite"), target=BACKUP),
    "restore": Command(("restore", COPY, "--overwrite")),
    "repair": Command(("repair", "--accept-loss"), is_damaged=True),
    "rekey": Command(("rekey",), secrets=(SECRET, NEW_SECRET), keeps=False),
}


class Killing:
    """Kills one command again and again, each time in a directory of its own."""

    def __init__(self, name: str, place: Path, random: Random) -> None:
        self._name = name
        self._command = COMMANDS[name]
        self._random = random
        self._place = place
        self._numbers = count()
        self._template = place / "template"
        _lay_out(self._template, is_damaged=self._command.is_damaged)
        self._database = (self._template / DATABASE).read_bytes()
        self._old = self._found(self._template)
        for _ in range(2):  # the first also starts the process that all others are forked from
            finished = self._directory()
            started = time.monotonic()
            self._run_to_its_end(finished)
            self._seconds = time.monotonic() - started
        self._new = self._found(finished)
        assert self._new != self._old
        assert self._new.jobs

    def kill(self) -> Counter[str]:
        """Kill it once. Raises Violation."""
        directory = self._directory()
        process = self._start(directory)
        new = beside(directory / self._command.target, ".new")
        while process.poll() is None and not new.exists():  # before that it only reads
            time.sleep(0.0005)
        time.sleep(self._random.uniform(0, self._seconds / 6))
        process.kill()
        process.wait(END_SECONDS)
        is_cut = new.exists()
        found = self._look(directory)
        self._run_to_its_end(directory)
        if self._look(directory) != self._new:
            self._violated(directory, "run again, it makes another file")
        shutil.rmtree(directory)
        return Counter(commands=1, half_a_file_left=is_cut, new_file_in_place=found == self._new)

    def _look(self, directory: Path) -> Found:
        found = self._found(directory)
        if found not in (self._old, self._new):
            self._violated(directory, f"{self._command.target} is neither the old file nor the new one")
        if self._command.keeps and not any(
            path.read_bytes() == self._database for path in directory.glob("*.queuedb*")
        ):
            self._violated(directory, "what the database held before is kept nowhere")
        return found

    def _found(self, directory: Path) -> Found:
        """What the next start would find, looked for in a copy: a start mends."""
        target = directory / self._command.target
        looked_at = self._place / "looked at" / DATABASE
        shutil.rmtree(looked_at.parent, ignore_errors=True)
        looked_at.parent.mkdir(parents=True)
        for suffix in ("", ".anchor", ".new"):
            if beside(target, suffix).exists():
                shutil.copy(beside(target, suffix), beside(looked_at, suffix))
        opening = [secret for secret in self._command.secrets if opens(looked_at, secret)]
        if len(opening) != 1:
            self._violated(directory, f"{len(opening)} of {len(self._command.secrets)} SECRETs open the file")
        return Found(opening[0], _held(looked_at, opening[0]))

    def _run_to_its_end(self, directory: Path) -> None:
        process = self._start(directory)
        code = process.wait(END_SECONDS)
        is_done = self._command.secrets[-1] != SECRET and opens(directory / DATABASE, NEW_SECRET)
        if code != 0 and not (code == WrongSecret.exit_code and is_done):
            self._violated(directory, f"it exited with {code}: {(directory / 'log').read_text()}")

    def _start(self, directory: Path) -> Forked:
        words = [str(directory / word) if word in (COPY, BACKUP) else word for word in self._command.words]
        environment = {"SECRET": SECRET, "DB_PATH": str(directory / DATABASE)}
        if NEW_SECRET in self._command.secrets:
            environment["SECRET_NEW"] = NEW_SECRET
        return Forked(["db", *words], environment, directory / "log")

    def _directory(self) -> Path:
        return Path(shutil.copytree(self._template, self._place / f"{self._name}-{next(self._numbers)}"))

    def _violated(self, directory: Path, wrong: str) -> None:
        left = ", ".join(sorted(path.name for path in directory.iterdir()))
        raise Violation(f"{self._name}, killed in {directory} ({left}): {wrong}")


def pieces(place: Path) -> Iterator[Counter[str]]:
    """Kills without end, of each command in turn. Raises Violation."""
    killings = [Killing(name, place / name, Random()) for name in COMMANDS]
    for killing in cycle(killings):
        yield killing.kill()


def _lay_out(directory: Path, *, is_damaged: bool) -> None:
    """A database, a copy of what it was before, and the same as an older backup."""
    directory.mkdir(parents=True)
    database = directory / DATABASE
    asyncio.run(_fill(database, directory / COPY))
    shutil.copy(directory / COPY, directory / BACKUP)
    if is_damaged:
        data = database.read_bytes()
        database.write_bytes(flipped(data, len(data) // 2, len(data) - 4000))


async def _fill(database: Path, copy: Path) -> None:
    journal = Journal.open(database, Secret.parse(SECRET), replay=Book().apply, wall_ms=lambda: WALL_MS)
    journal.start(now=lambda: WALL_MS, on_rollback=print, on_failure=print)
    await journal.append([PutQueue(MAIL)])
    for number in range(JOBS):
        await journal.append(put(number))
        if number % (JOBS // 4) == 0:
            blob = await journal.write_blob(Random(number).randbytes(BIG_BYTES))
            await journal.append([PutJob(job(JOBS + number, content=blob))])
        if number == JOBS // 2:
            shutil.copy(database, copy)
    await journal.close()


def _held(database: Path, secret: str) -> dict[str, Job] | None:
    book = Book()
    try:
        journal = Journal.open(database, Secret.parse(secret), replay=book.apply, wall_ms=lambda: WALL_MS)
    except Damaged:
        return None
    for each in book.jobs.values():
        if isinstance(each.content, Blob):
            journal.read_blob(each.content)
    asyncio.run(journal.close())
    return {uid: placeless(each) for uid, each in book.jobs.items()}
