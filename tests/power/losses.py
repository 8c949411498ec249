"""Power is lost, and what a start then finds is judged."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

import msgspec
from msgspec import Struct

from jobengine.errors import JobEngineError
from jobengine.journal.journal import Journal
from tests.journal.scenes import Book
from tests.power.disk import ObservedDisk
from tests.power.oracle import Held, Oracle
from tests.power.story import SECRET, Story
from tests.soak.part import Violation
from tests.support.brokers import PATH
from tests.support.clock import START_MS
from tests.support.disk import SimulatedDisk

# How likely each sector, and each name, that was not synced is there all the same.
KEPT: Final = (0.0, 1.0, 0.5, 0.1, 0.9, 0.3, 0.7)
AGAIN_EVERY: Final = 10  # one in so many states is lost a second time, right after its start
PIECE_STATES: Final = 5_000


class Counts(Struct):
    """Of some stories."""

    points: int = 0  # at which power was lost
    states: int = 0  # that a disk was left in
    different: int = 0  # those of them that were not the same as another one of their point
    twice: int = 0  # that were lost again, after the start


class Losses:
    """Judges so many states after each change of a disk."""

    def __init__(self, seed: str, oracle: Oracle, *, states: int) -> None:
        self.counts = Counts()
        self.wrong: list[str] = []
        self.evidence: list[dict[str, bytes]] = []  # the files of what was wrong
        self._oracle = oracle
        self._random = Random(seed)
        self._states = states

    def __call__(self, disk: SimulatedDisk) -> None:
        """Power is lost here, in many ways."""
        self.counts.points += 1
        acknowledged = self._oracle.acknowledged
        seen: set[int] = set()
        for number in range(self._states):
            left = disk.crash(self._random, keep=KEPT[number % len(KEPT)])
            self.counts.states += 1
            content = hash(tuple(sorted((path, bytes(file.durable)) for path, file in left.files.items())))
            if content not in seen:
                seen.add(content)
                self._judge(left, acknowledged)

    def keep_evidence(self, place: Path) -> None:
        """Write down the files of what was wrong, to be looked at."""
        for number, files in enumerate(self.evidence):
            directory = place / f"wrong-{number}"
            directory.mkdir(parents=True)
            for name, content in files.items():
                (directory / name).write_bytes(content)

    def _judge(self, left: SimulatedDisk, acknowledged: int) -> None:
        self.counts.different += 1
        files = {path.name: bytes(file.durable) for path, file in left.files.items()}
        wrong = self._wrong(left, acknowledged)
        if wrong is not None:
            self.wrong.append(f"point {self.counts.points}, {acknowledged} changes acknowledged: {wrong}")
            self.evidence.append(files)

    def _wrong(self, left: SimulatedDisk, acknowledged: int) -> str | None:
        try:
            found = found_on(left, self._oracle)
            possible = self._oracle.states[acknowledged:]
            if found not in possible:
                return f"{len(found[1])} jobs were found, which is none of {len(possible)} possible states"
            if self.counts.different % AGAIN_EVERY == 0:
                self.counts.twice += 1
                if found_on(left.crash(self._random, keep=self._random.choice(KEPT)), self._oracle) != found:
                    return "it is another after the next loss"
        except JobEngineError as refusal:
            return f"it does not start: {refusal.detail}"
        return None


def found_on(disk: SimulatedDisk, oracle: Oracle) -> Held:
    """What a start finds there; every big value is read. Raises JobEngineError."""
    book = Book()
    journal = Journal.open(PATH, SECRET, replay=book.apply, files=disk, wall_ms=lambda: START_MS)
    for job in book.jobs.values():
        for blob in job.blobs:
            journal.read_blob(blob)
    return oracle.held(book)


def lose_power(seed: str, *, states: int) -> Losses:
    """Tell the story, and lose power in so many ways, about, spread over all of its points."""
    points = _points()
    oracle = Oracle()
    # How many points there are varies by a few in a hundred from telling to telling.
    losses = Losses(seed, oracle, states=-(-states * 11 // (points * 10)))
    asyncio.run(Story(ObservedDisk(losses), oracle).tell())
    return losses


def _points() -> int:
    """How often the disk changes in the story."""
    oracle = Oracle()
    counting = Losses("", oracle, states=0)
    asyncio.run(Story(ObservedDisk(counting), oracle).tell())
    return counting.counts.points


def pieces(place: Path) -> Iterator[Counter[str]]:
    """Stories without end, each with a seed of its own. Raises Violation."""
    while True:
        seed = secrets.token_hex(4)
        losses = lose_power(seed, states=PIECE_STATES)
        if losses.wrong:
            losses.keep_evidence(place)
            raise Violation("\n".join([f"seed {seed}", *losses.wrong[:10]]))
        yield Counter(msgspec.structs.asdict(losses.counts))
