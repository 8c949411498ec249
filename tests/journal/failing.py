"""One life of a journal on a disk whose calls fail: what was acknowledged in it, and what nobody knows."""

import asyncio
import errno
from collections import Counter
from collections.abc import Coroutine, Iterator
from itertools import combinations, product
from pathlib import Path
from random import Random
from typing import Any

from jobengine.errors import InputOutputFailed, JobEngineError, OutcomeUnknown, StorageFull
from jobengine.model.changes import AlterJob, Change, PutKey, PutQueue, move
from jobengine.model.extra import Extra, Failure, Reason
from jobengine.model.keys import Key
from tests.journal.scenes import MAIL, WALL_MS, Book, Scene, compact, job, put
from tests.soak.part import Violation
from tests.support.disk import SimulatedDisk

ERRORS = [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EINTR]
NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
SHORT = 0  # no error: a write that writes half
EXTRA = Extra(tags=("urgent",), failures=(Failure(1, WALL_MS, Reason.ERROR, "Odd", "it broke"),))
NEWER: list[Change] = [  # what API v2 brought
    *put(4),
    AlterJob(move(job(4)), EXTRA),
    PutKey(Key.of(bytes(16), 1, WALL_MS, bytes(16), [job(4).uid])),
]
QUEUES: list[Change] = [PutQueue(MAIL)]
JOBS: list[list[Change]] = [*[put(number) for number in range(4)], NEWER]
PAIRS_BELOW = 60


class Run:
    """Opens, appends, compacts, writes a big value and closes, come what may."""

    def __init__(self, disk: SimulatedDisk) -> None:
        self.disk = disk
        self.acknowledged = Book()
        self.unknown: list[list[Change]] = []
        self.errors: list[JobEngineError] = []

    async def go(self) -> "Run":
        try:
            scene = Scene(self.disk).start()
        except InputOutputFailed as error:
            self.errors.append(error)
            return self
        while not (self.acknowledged.queues or self.unknown):  # without the queue there are no jobs
            await self._append(scene, QUEUES)
        for changes in JOBS:
            await self._append(scene, changes)
        await self._try(compact(scene.journal, self.acknowledged.snapshot()))
        await self._try(scene.journal.write_blob(b"big" * 100))
        await self._try(scene.journal.close())
        assert bool(scene.failures) == any(isinstance(error, OutcomeUnknown) for error in self.errors)
        return self

    async def _try(self, step: Coroutine[Any, Any, object]) -> None:
        try:
            await step
        except JobEngineError as error:
            self.errors.append(error)

    async def _append(self, scene: Scene, changes: list[Change]) -> None:
        try:
            await scene.journal.append(changes)
            self.acknowledged.apply(changes)
        except StorageFull as error:
            assert scene.rollbacks[-1] == 1
            self.errors.append(error)
        except OutcomeUnknown as error:
            self.unknown.append(changes)
            self.errors.append(error)

    def possible(self) -> list[Book]:
        """What may be in the file: all that was acknowledged, and the first of those that nobody knows of."""
        books = [self.acknowledged]
        if self.unknown:
            book = Book()
            book.apply([*self.acknowledged.snapshot(), *self.unknown[0]])
            books.append(book)
        return books


async def number_of_calls() -> int:
    """How many calls there are when none fails."""
    disk = SimulatedDisk()
    await Run(disk).go()
    return len(disk.calls)


async def fail(numbers: dict[int, int]) -> Run:
    """Let the calls of these numbers fail with these errors, or be short. Raises Violation for a loss."""
    disk = SimulatedDisk()
    disk.failing = {number: error for number, error in numbers.items() if error != SHORT}
    disk.short = {number for number, error in numbers.items() if error == SHORT}
    run = await Run(disk).go()
    random = Random(str(numbers))
    for left in (disk.kill(), disk.crash(random), disk.crash(random, keep=0)):
        if Scene(left).book not in run.possible():
            raise Violation(f"something else is there when these calls fail: {numbers}; {disk.calls}")
    return run


def pieces(place: Path) -> Iterator[Counter[str]]:
    """Every pair of the first calls, with any two errors; then from the start again. Raises Violation."""
    ways = list(product([*ERRORS, SHORT], repeat=2))
    while True:
        for pair in combinations(range(PAIRS_BELOW), 2):
            for errors in ways:
                asyncio.run(fail(dict(zip(pair, errors, strict=True))))
            yield Counter({"pairs": 1, "runs": len(ways)})
