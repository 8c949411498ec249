"""What is wrong with a configuration: all of it, each with its line, its place and what would be right."""

import json
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from msgspec import Struct

from jobengine.errors import ConfigurationWrong

MISTAKES_MOST: Final = 100
SHOWN_LENGTH: Final = 60

Place = tuple[str, ...]  # the keys that lead there; none is the top of the file


def quote(text: str) -> str:
    """A text of the file, fit for one line of a terminal or log."""
    short = text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}..."
    return json.dumps(short, ensure_ascii=not short.isprintable())


class Mistake(Struct, frozen=True):
    """One of them."""

    line: int
    place: Place
    wrong: str
    saw: str = ""  # what is written there, in place of what is right
    name: str = ""  # that is written there, and means nothing
    likely: str = ""  # what may have been meant by it

    def __str__(self) -> str:
        wrong = f"{self.wrong} {self.name}" if self.name else self.wrong
        told = f"{wrong}, not {self.saw}" if self.saw else f"{wrong}{self._suggestion}"
        return ": ".join([str(self.line), *filter(None, [".".join(self.place)]), told])

    @property
    def untold(self) -> str:
        """What is wrong, and nothing of what is written there."""
        return f"{self.wrong}{self._suggestion}"

    @property
    def _suggestion(self) -> str:
        return f" (did you mean {quote(self.likely)}?)" if self.likely else ""


class Mistakes:
    """Collects the mistakes of one file."""

    def __init__(self, source: str) -> None:
        self._source = source
        self.found: list[Mistake] = []

    def add(self, line: int, place: Place, wrong: str, *, saw: str = "") -> None:
        """This is wrong at this line, and what is written there is `saw`.

        Raises ConfigurationWrong when there are so many that nobody would read on.
        """
        self._add(Mistake(line, place, wrong, saw))

    def add_name(self, line: int, place: Place, wrong: str, name: str, known: Iterable[str]) -> None:
        """A name at this line is none of those that are known. Raises as `add` does."""
        likely = get_close_matches(name, list(known), n=1)
        self._add(Mistake(line, place, wrong, name=quote(name), likely=likely[0] if likely else ""))

    def _add(self, mistake: Mistake) -> None:
        self.found.append(mistake)
        if len(self.found) == MISTAKES_MOST:
            self.check()

    def check(self) -> None:
        """Raises ConfigurationWrong if there was any mistake."""
        if self.found:
            in_order = sorted(self.found, key=lambda mistake: mistake.line)
            raise ConfigurationWrong(*(f"{self._source}:{mistake}" for mistake in in_order))
