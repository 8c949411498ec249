"""Running one part for a while. What it has counted is written down, however that ends."""

import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.soak.part import Part, Violation
from tests.soak.results import RESULTS, current_commit, record, told


def run(part: Part, *, seconds: float, results: Path = RESULTS) -> bool:
    """Whether every promise was kept."""
    place = Path(tempfile.mkdtemp(prefix=f"jobengine-{part.name}-"))
    counts: Counter[str] = Counter()
    started, commit = time.monotonic(), current_commit()
    try:
        for some in part.pieces(place):
            counts.update(some)
            print(f"\r{part.name}: {told(counts)}", end="", flush=True)
            if time.monotonic() - started >= seconds:
                break
    except Violation as violation:
        counts["violations"] += 1
        print(f"\n{violation}\nWhat tells more is kept in {place}")
    finally:
        total = record(part.name, counts, commit=commit, seconds=time.monotonic() - started, path=results)
        if not counts["violations"]:
            shutil.rmtree(place)
        print(f"\n{part.name}, all runs of {commit} ({results.name}): {_progress(part, total)}")
    return not counts["violations"]


def _progress(part: Part, total: Counter[str]) -> str:
    named = [f"{total[name]:,} of {goal:,} {name}" for name, goal in part.goal.items()]
    rest = {name: number for name, number in total.items() if name not in part.goal}
    return ", ".join([*named, told({"violations": 0, **rest})])
