"""How a job of the cluster ended."""

import re
from datetime import UTC, datetime
from pathlib import Path
from signal import Signals
from typing import Any, Final

from msgspec import Struct

from jobengine.work.left import left_file
from jobengine.work.outcome import Kind, Refused
from jobengine.work.slurm.commands import State

EXIT: Final = "exit"  # the file in which its script says it
_WRITTEN: Final = re.compile(rb"(\d{1,3}) (\d{1,10}) (\d{1,10})\n")
_BY_SIGNAL: Final = 128  # added by a shell to the number of the signal that ended a program
# What Slurm says of a job that is over, and what that is here.
ENDS: Final = {
    "COMPLETED": Kind.EXIT_CODE,
    "FAILED": Kind.EXIT_CODE,
    "CANCELLED": Kind.STOPPED,
    "TIMEOUT": Kind.TIMEOUT,
    "DEADLINE": Kind.TIMEOUT,
    "OUT_OF_MEMORY": Kind.MEMORY,
    "BOOT_FAIL": Kind.ERROR,
    "NODE_FAIL": Kind.ERROR,
    "PREEMPTED": Kind.ERROR,
    "REVOKED": Kind.ERROR,
}


class Exit(Struct, frozen=True):
    """How the script ended, and when."""

    code: int
    started: int | None = None  # seconds since 1970
    ended: int | None = None

    def told(self) -> dict[str, Any]:
        """For the result."""
        by_signal = self.code - _BY_SIGNAL in set(Signals)
        is_timed = self.started is not None and self.ended is not None
        return {
            "exit_code": None if by_signal else self.code,
            "signal": Signals(self.code - _BY_SIGNAL).name if by_signal else None,
            "started": None if self.started is None else datetime.fromtimestamp(self.started, UTC),
            "seconds": (self.ended or 0) - (self.started or 0) if is_timed else None,
        }


def exit_of(record: Path, state: State | None) -> Exit | None:
    """As its script has written it down in this directory; else as Slurm says."""
    try:
        written = _WRITTEN.fullmatch(left_file(record, EXIT, most_bytes=100))
    except Refused:
        written = None
    if written is not None:
        return Exit(*(int(word) for word in written.groups()))
    if state is None or ENDS[state.name] is not Kind.EXIT_CODE:
        return None
    return Exit(_BY_SIGNAL + state.signal if state.signal else state.exit_code)


def why(state: State | None, exit_: Exit | None) -> tuple[Kind, str]:
    """Why one failed."""
    if state is not None and ENDS[state.name] is not Kind.EXIT_CODE:
        return ENDS[state.name], f"Slurm says that it ended with {state.name}"
    if exit_ is None:
        return Kind.ERROR, "Slurm knows it no longer, and it left no exit code"
    if (signal := exit_.told()["signal"]) is not None:
        return Kind.SIGNAL, f"it was ended by {signal}"
    return Kind.EXIT_CODE, f"it ended with exit code {exit_.code}"
