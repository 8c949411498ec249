"""What jobrunner's workers have done so far."""

from msgspec import Struct


class RunCount(Struct):
    """Of one worker."""

    jobs: int = 0
    seconds: float = 0.0


class RunCounts:
    """Of all of them, by their number."""

    def __init__(self) -> None:
        self.by_slot: dict[int, RunCount] = {}

    @property
    def jobs(self) -> int:
        """All that have run."""
        return sum(count.jobs for count in self.by_slot.values())

    def add(self, slot: int, seconds: float) -> None:
        """One more job has run there."""
        count = self.by_slot.setdefault(slot, RunCount())
        count.jobs += 1
        count.seconds += seconds
