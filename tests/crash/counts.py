"""How many kills, operations and violations; the results of all runs add up in one file."""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from tests.crash.ledger import Event

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "data" / "crash-results.jsonl"


class Counts(Struct):
    """Of one run, or of several."""

    kills: dict[str, int] = {}  # by when they came
    operations: int = 0
    acknowledged: int = 0
    refused: int = 0
    unknown: int = 0
    recoveries: int = 0  # checked
    jobs: int = 0  # looked at in them
    violations: int = 0

    def count(self, events: Iterable[Event]) -> None:
        """Of one round."""
        for event in events:
            self.operations += 1
            if event.outcome is None:
                self.unknown += 1
            elif event.outcome.status < 300:
                self.acknowledged += 1
            else:
                self.refused += 1

    @property
    def all_kills(self) -> int:
        """Whenever they came."""
        return sum(self.kills.values())

    def add(self, other: "Counts") -> None:
        """Of another run."""
        for when, number in other.kills.items():
            self.kills[when] = self.kills.get(when, 0) + number
        for name in self.__struct_fields__[1:]:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def __str__(self) -> str:
        kills = ", ".join(f"{number} {when}" for when, number in sorted(self.kills.items()))
        return (
            f"{self.all_kills} kills ({kills}); "
            f"{self.recoveries} recoveries checked, {self.jobs} jobs looked at in them; "
            f"{self.operations} operations: {self.acknowledged} acknowledged, {self.refused} refused, "
            f"{self.unknown} without an answer; {self.violations} violations"
        )


class Result(Struct):
    """One run, and the commit that it belongs to."""

    commit: str
    seconds: float
    counts: Counts


def record(counts: Counts, *, commit: str, seconds: float) -> Counts:
    """Write a run down; the counts of all runs of this commit."""
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("ab") as results:
        results.write(msgspec.json.encode(Result(commit, round(seconds, 1), counts)) + b"\n")
    total = Counts()
    for line in RESULTS.read_bytes().splitlines():
        result = msgspec.json.decode(line, type=Result)
        if result.commit == commit:
            total.add(result.counts)
    return total


def current_commit() -> str:
    """The commit that is checked out; with a + when the code is not as it stands there."""
    commit = _git("rev-parse", "--short=12", "HEAD")
    return f"{commit}+" if _git("status", "--porcelain", "jobengine") else commit


def _git(*arguments: str) -> str:
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}  # a look must not get in anybody's way
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()
