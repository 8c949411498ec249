"""A bug made by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct


class Mutant(Struct, frozen=True):
    """A small patch that breaks a promise."""

    name: str
    breaks: str  # what would happen
    file: str
    old: str  # stands exactly once in the file
    new: str
    test: str  # that must go red: a node id of pytest

    def problem(self, root: Path) -> str | None:
        """Why it cannot be put into the code that stands there, if it cannot."""
        path = root / self.file
        found = path.read_text(encoding="utf-8").count(self.old) if path.exists() else 0
        return None if found == 1 else f"the old text stands {found} times in {self.file}"

    @contextmanager
    def applied(self, root: Path) -> Iterator[None]:
        """Put it in, and take it out again."""
        path = root / self.file
        original = path.read_text(encoding="utf-8")
        path.write_text(original.replace(self.old, self.new), encoding="utf-8")
        try:
            yield
        finally:
            path.write_text(original, encoding="utf-8")
