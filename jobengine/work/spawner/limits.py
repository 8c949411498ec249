"""What one run may use. The kernel holds it to that: setrlimit(2)."""

import resource

from msgspec import Struct

_LAST_CPU_SECONDS = 5  # between the signal that can be caught and the one that cannot


class Limits(Struct, frozen=True, kw_only=True):
    """Of each process of a run; None is no limit. What the server itself may not have, a run has not either."""

    cpu_seconds: int | None = None
    memory_bytes: int | None = None  # of addresses: shared memory and all that is mapped counts
    file_bytes: int | None = None  # of each file
    open_files: int | None = 1024
    processes: int | None = 512  # of the user together, in whatever run; root is not held to it

    def ceilings(self) -> list[tuple[int, int, int]]:
        """Resource, soft limit and hard limit, as setrlimit(2) takes them. No run leaves a core dump."""
        cpu = self.cpu_seconds
        wanted = (
            (resource.RLIMIT_CPU, cpu, None if cpu is None else cpu + _LAST_CPU_SECONDS),
            (resource.RLIMIT_AS, self.memory_bytes, self.memory_bytes),
            (resource.RLIMIT_FSIZE, self.file_bytes, self.file_bytes),
            (resource.RLIMIT_NOFILE, self.open_files, self.open_files),
            (resource.RLIMIT_NPROC, self.processes, self.processes),
            (resource.RLIMIT_CORE, 0, 0),
        )
        return [(which, soft, hard) for which, soft, hard in wanted if soft is not None and hard is not None]
