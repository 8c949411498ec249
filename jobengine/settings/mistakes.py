"""What is wrong with a configuration: all of it, each with its line, its place and what would be right."""

import json
from typing import Final

from jobengine.errors import ConfigurationWrong

MISTAKES_MOST: Final = 100
SHOWN_LENGTH: Final = 60


def quote(text: str) -> str:
    """A text of the file, fit for one line of a terminal or log."""
    short = text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}..."
    return json.dumps(short, ensure_ascii=not short.isprintable())


class Mistakes:
    """Collects the mistakes of one file."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._found: list[tuple[int, str]] = []

    def add(self, line: int, path: str, wrong: str) -> None:
        """This is wrong at this line; `path` is empty at the top of the file.

        Raises ConfigurationWrong when there are so many that nobody would read on.
        """
        self._found.append((line, f"{path}: {wrong}" if path else wrong))
        if len(self._found) == MISTAKES_MOST:
            self.check()

    def check(self) -> None:
        """Raises ConfigurationWrong if there was any mistake."""
        if self._found:
            raise ConfigurationWrong(
                *(f"{self._source}:{line}: {wrong}" for line, wrong in sorted(self._found))
            )
