"""How many kills, operations and violations."""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct, field

from tests.crash.ledger import Event


class Counts(Struct):
    """Of one run, or of several."""

    kills: Counter[str] = field(default_factory=Counter)  # by when they came
    operations: int = 0
    acknowledged: int = 0
    refused: int = 0
    unknown: int = 0
    recoveries: int = 0  # checked
    jobs: int = 0  # looked at in them
    compactions: int = 0  # that came to their end before a kill
    cut: int = 0  # that a kill ended: half of a new file was left
    cut_rekeys: int = 0  # of these, changes of the SECRET
    violations: int = 0

    def count(self, events: Iterable[Event]) -> None:
        """Of one round."""
        for event in events:
            self.operations += 1
            if event.outcome is None:
                self.unknown += 1
            elif event.outcome.status < 300:
                self.acknowledged += 1
            else:
                self.refused += 1

    @property
    def all_kills(self) -> int:
        """Whenever they came."""
        return self.kills.total()

    def add(self, other: "Counts") -> None:
        """Of another run."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def named(self) -> Counter[str]:
        """All of them in one row, but for the violations."""
        numbers = {name: getattr(self, name) for name in self.__struct_fields__[1:-1]}
        by_when = {f"kills {when}": number for when, number in sorted(self.kills.items())}
        return Counter({"kills": self.all_kills} | by_when | numbers)

    def __str__(self) -> str:
        kills = ", ".join(f"{number} {when}" for when, number in sorted(self.kills.items()))
        return (
            f"{self.all_kills} kills ({kills}); {self.compactions} compactions, and {self.cut} cut short, "
            f"{self.cut_rekeys} of them changes of the SECRET; "
            f"{self.recoveries} recoveries checked, {self.jobs} jobs looked at in them; "
            f"{self.operations} operations: {self.acknowledged} acknowledged, {self.refused} refused, "
            f"{self.unknown} without an answer; {self.violations} violations"
        )
