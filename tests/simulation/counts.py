"""How many of each, of one seed or of many."""

from msgspec import Struct


class Counts(Struct):
    """What was simulated."""

    seeds: int = 0
    operations: int = 0
    answered: int = 0
    refused: int = 0
    unknown: int = 0  # told that nobody knows
    waits: int = 0  # for a job to claim
    cancelled: int = 0  # callers that went away
    taken_back: int = 0  # changes undone on a full disk
    power_losses: int = 0
    kills: int = 0
    stops: int = 0  # in good order
    failed_calls: int = 0  # of the disk, after which the process ends
    full_disks: int = 0
    nearly_full_disks: int = 0
    growth_refused: int = 0  # since the disk was nearly full
    slow_disks: int = 0
    clock_steps: int = 0
    compactions: int = 0
    rekeys: int = 0  # compactions under another SECRET
    recoveries: int = 0  # checked
    violations: int = 0

    def add(self, other: "Counts") -> None:
        """Of another run."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def __str__(self) -> str:
        return ", ".join(f"{getattr(self, name)} {name.replace('_', ' ')}" for name in self.__struct_fields__)
