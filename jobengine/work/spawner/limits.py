"""What one run may use. The kernel holds it to that: setrlimit(2)."""

import resource

from msgspec import Struct

_LAST_CPU_SECONDS = 5  # between the signal that can be caught and the one that cannot


class Limits(Struct, frozen=True, kw_only=True):
    """Of each process of a run; None is no limit. What the server may not have itself, no run has."""

    cpu_seconds: int | None = None
    memory_bytes: int | None = None  # of addresses: shared memory and all that is mapped counts
    file_bytes: int | None = None  # of each file
    open_files: int | None = 1024
    processes: int | None = 512  # of the user together, in whatever run; root is not held to it

    def inherited(self) -> list[tuple[int, int]]:
        """Resources and limits as setrlimit(2) has them, but for CPU time. No run leaves a core dump."""
        wanted = (
            (resource.RLIMIT_AS, self.memory_bytes),
            (resource.RLIMIT_FSIZE, self.file_bytes),
            (resource.RLIMIT_NOFILE, self.open_files),
            (resource.RLIMIT_NPROC, self.processes),
            (resource.RLIMIT_CORE, 0),
        )
        return [(which, most) for which, most in wanted if most is not None]

    def cpu(self) -> tuple[int, int] | None:
        """The soft limit and the hard one of CPU time."""
        return None if self.cpu_seconds is None else (self.cpu_seconds, self.cpu_seconds + _LAST_CPU_SECONDS)
