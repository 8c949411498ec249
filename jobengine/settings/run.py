"""How the jobs of a queue are run."""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from jobengine.settings.memory import MEBIBYTE

MINUTE_MS: Final = 60_000


class RunType(StrEnum):
    """What runs them."""

    SHELL = "shell"  # a program and its arguments, which each job names
    PAYLOAD = "payload"  # one program for all; each job brings the data
    BUNDLE = "bundle"  # each job brings a directory with a run.sh
    PYTHON = "python"  # a class that the configuration names
    SLURM = "slurm"  # a bundle, given to Slurm


class SandboxKind(StrEnum):
    """What keeps a job from the rest of the machine."""

    NONE = "none"
    BUBBLEWRAP = "bubblewrap"


class SlurmSettings(Struct, frozen=True):
    """Which Slurm: the programs of this machine, or a service that speaks HTTP."""

    url: str | None = None  # None: sbatch, squeue, scontrol and scancel
    token: str | None = None
    partition: str | None = None
    poll: int = 2000  # ms between two looks at a job


class RunSettings(Struct, frozen=True):
    """Nothing is run without a type. Times in milliseconds; None is no limit."""

    type: RunType | None = None
    workers: int = 1
    command: tuple[str, ...] = ()
    allow_shell: bool = False
    classes: dict[str, str] = {}
    user: str | None = None
    sandbox: SandboxKind = SandboxKind.NONE
    environment: dict[str, str] = {}
    pass_environment: tuple[str, ...] = ()
    timeout: int = 60 * MINUTE_MS
    grace: int = 5000
    cpu: int | None = None
    memory: int | None = None
    file_size: int = 1024 * MEBIBYTE
    files: int = 1024
    processes: int = 512
    command_length: int = 4096
    archive_bytes: int = 16 * MEBIBYTE
    unpacked_bytes: int = 1024 * MEBIBYTE
    slurm: SlurmSettings = SlurmSettings()


class WorkSettings(Struct, frozen=True):
    """What holds for all jobs that this process runs."""

    slots: int = 0
    drain_seconds: float = 30
    directory: str | None = None
