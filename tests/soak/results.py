"""What all runs have counted, in one file: each run of a part, and the commit that it belongs to."""

import os
import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

ROOT: Final = Path(__file__).parents[2]
RESULTS: Final = ROOT / "data" / "soak-results.jsonl"

Counts = Mapping[str, int]


class Result(Struct):
    """One run of one part."""

    commit: str
    part: str
    seconds: float
    counts: dict[str, int]


def record(part: str, counts: Counts, *, commit: str, seconds: float, path: Path = RESULTS) -> Counter[str]:
    """Write a run down; what all runs of this part have counted at this commit."""
    path.parent.mkdir(exist_ok=True)
    with path.open("ab") as results:
        results.write(msgspec.json.encode(Result(commit, part, round(seconds, 1), dict(counts))) + b"\n")
    return total(part, commit=commit, path=path)


def total(part: str, *, commit: str, path: Path = RESULTS) -> Counter[str]:
    """What all runs of this part have counted at this commit."""
    counts: Counter[str] = Counter()
    for line in path.read_bytes().splitlines() if path.exists() else ():
        result = msgspec.json.decode(line, type=Result)
        if (result.commit, result.part) == (commit, part):
            counts.update(result.counts)
    return counts


def told(counts: Counts) -> str:
    """In one line."""
    return ", ".join(f"{number:,} {name}" for name, number in counts.items())


def current_commit() -> str:
    """The commit that is checked out; with a + when the code is not as it stands there."""
    commit = _git("rev-parse", "--short=12", "HEAD")
    return f"{commit}+" if _git("status", "--porcelain", "jobengine") else commit


def _git(*arguments: str) -> str:
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}  # a look must not get in anybody's way
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()
