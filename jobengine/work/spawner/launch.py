"""What to start, where, as whom, and within which limits."""

from pathlib import Path

from msgspec import Struct

from jobengine.work.spawner.limits import Limits
from jobengine.work.spawner.user import User


class Launch(Struct, frozen=True, kw_only=True):
    """One program. Its input is empty; its environment is what stands here, and nothing else."""

    argv: tuple[str, ...]  # without a slash in its name the program is looked for on the PATH below
    directory: Path
    environment: dict[str, str]
    limits: Limits
    user: User | None = None  # None: as the worker itself
    is_sandboxed: bool = False  # argv is that of `sandbox.enclosed`
