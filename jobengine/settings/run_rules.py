"""What goes together in a `run` block, and what does not."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from jobengine.settings.run import RunType

# Without these such a queue cannot run a job.
_NEEDED: Final = {RunType.PAYLOAD: "command", RunType.PYTHON: "classes"}
_HIDDEN: Final = frozenset({"SECRET", "SECRET_FILE"})
# These say nothing of the others.
_ONLY: Final = {
    "command": {RunType.PAYLOAD},
    "allow_shell": {RunType.SHELL},
    "command_length": {RunType.SHELL},
    "classes": {RunType.PYTHON},
    "archive_bytes": {RunType.PAYLOAD, RunType.BUNDLE, RunType.SLURM},
    "unpacked_bytes": {RunType.BUNDLE, RunType.SLURM},
    "slurm": {RunType.SLURM},
}


def wrong_together(run: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Of each mistake the key that it is about, and what it is."""
    kind = run.get("type")
    if kind is None:
        if "type" not in run:
            yield "type", f'"type" is missing: {", ".join(RunType)}'
        return
    for name in run.get("pass_environment") or ():
        if name in _HIDDEN:
            yield "pass_environment", f"{name} is for no job"
    needed = _NEEDED.get(RunType(kind))
    if needed is not None and not run.get(needed):
        yield needed, f'a queue of type {kind} needs "{needed}"'
    for key, kinds in _ONLY.items():
        if key in run and kind not in kinds and run[key]:
            yield key, f"says nothing of a queue of type {kind}"
    if kind == RunType.PYTHON and run.get("sandbox") == "bubblewrap":
        yield "sandbox", "a class runs in a process of the worker, not in a sandbox"
    if kind == RunType.SLURM and run.get("sandbox") == "bubblewrap":
        yield "sandbox", "Slurm runs its jobs on nodes of its own, not in a sandbox of this machine"
