"""Processes that have lost their parent, and whose they were. Standard library only."""

import os
from pathlib import Path
from typing import Final

# Every program of a run is started with it, and what that starts has it too unless it takes care not to.
MARK: Final = "JOBENGINE_RUN"


def children() -> list[int]:
    """The children of this process, adopted ones too."""
    process = os.getpid()
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def run_of(process: int) -> str | None:
    """The mark of the run that a process belongs to, when it has one and it can be read."""
    start = f"{MARK}=".encode()
    try:
        environment = Path(f"/proc/{process}/environ").read_bytes()
    except OSError:
        return None
    marks = (entry[len(start) :] for entry in environment.split(b"\0") if entry.startswith(start))
    return next(marks, b"").decode(errors="replace") or None
