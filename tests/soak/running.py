"""Running parts for a while. What they have counted is written down, however that ends."""

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.soak.part import Part, Violation
from tests.soak.results import RESULTS, Counts, current_commit, record, told, total
from tests.soak.workers import working


def run(part: Part, *, seconds: float, results: Path = RESULTS) -> bool:
    """Whether every promise was kept."""
    place = Path(tempfile.mkdtemp(prefix=f"jobengine-{part.name}-"))
    counts: Counter[str] = Counter()
    started, commit = time.monotonic(), current_commit()
    try:
        with working(part, place) as pieces:
            for some in pieces:
                counts.update(some)
                print(f"\r{part.name}: {told(counts)}", end="", flush=True)
                if time.monotonic() - started >= seconds:
                    break
    except Violation as violation:
        counts["violations"] += 1
        print(f"\n{violation}\nWhat tells more is kept in {place}")
    finally:
        all_runs = record(part.name, counts, commit=commit, seconds=time.monotonic() - started, path=results)
        if not counts["violations"]:
            shutil.rmtree(place)
        print(f"\n{part.name}, all runs of {commit} ({results.name}): {_progress(part, all_runs)}")
    return not counts["violations"]


def shares(parts: Sequence[Part], done: Sequence[Counts], seconds: float) -> list[float]:
    """Seconds for each: by what is left of it, or by what it takes in all when nothing is left of any."""
    left = [part.minutes_left(counts) for part, counts in zip(parts, done, strict=True)]
    weights = left if any(left) else [part.minutes for part in parts]
    return [seconds * weight / sum(weights) for weight in weights]


def all_done(parts: Sequence[Part], *, commit: str, results: Path = RESULTS) -> list[Counter[str]]:
    """What all runs of each have counted at this commit."""
    return [total(part.name, commit=commit, path=results) for part in parts]


def standing(part: Part, counts: Counts) -> str:
    """How much of it is done, and how much is left."""
    left = part.minutes_left(counts)
    return f"{part.name:10} {part.done(counts):4.0%} done, " + (
        f"about {left:.0f} minutes left" if left else "nothing left"
    )


def _progress(part: Part, counts: Counter[str]) -> str:
    named = [f"{counts[name]:,} of {goal:,} {name}" for name, goal in part.goal.items()]
    rest = {name: number for name, number in counts.items() if name not in part.goal}
    return ", ".join([*named, told({"violations": 0, **rest})])
