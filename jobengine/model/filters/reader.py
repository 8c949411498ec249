"""A text that is read from left to right."""

import json
import re
from typing import Final, NoReturn

from jobengine.model.filters.wrong import FilterWrong

TEXT_MOST: Final = 4096  # characters

_SPACE: Final = re.compile(r"\s*")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_WORD: Final = re.compile(r"""[^\s()"',=!<>~]+""")
_KEYWORDS: Final = {word: re.compile(rf"{word}\b", re.IGNORECASE) for word in ("and", "or", "not", "in")}


class Reader:
    """What is still to be read begins at `at`. Each method skips the space before what it looks for."""

    def __init__(self, text: str) -> None:
        """Raises FilterWrong for a text that is too long."""
        if len(text) > TEXT_MOST:
            raise FilterWrong(TEXT_MOST + 1, f"a filter may have {TEXT_MOST} characters")
        self.text = text
        self.at = 0

    def place(self) -> int:
        """Where the next thing begins."""
        found = _SPACE.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return self.at

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Go behind what looks so, if it is the next."""
        found = pattern.match(self.text, self.place())
        if found is not None:
            self.at = found.end()
        return found

    def keyword(self, word: str) -> bool:
        """Go behind this word, if it is the next."""
        return self.take(_KEYWORDS[word]) is not None

    def sign(self, sign: str) -> bool:
        """Go behind this sign, if it is the next."""
        is_next = self.text.startswith(sign, self.place())
        self.at += is_next
        return is_next

    def expect(self, sign: str) -> None:
        """Go behind this sign. Raises FilterWrong."""
        if not self.sign(sign):
            self.wrong(f'expected "{sign}"')

    def quoted(self) -> str | None:
        """What the next double quotes hold; None when there are none. Raises FilterWrong."""
        start = self.place()
        found = self.take(_QUOTED)
        return None if found is None else self.unquoted(found[0], start)

    def unquoted(self, quoted: str, start: int) -> str:
        """What double quotes hold. Raises FilterWrong."""
        try:
            return str(json.loads(quoted))
        except ValueError:
            self.wrong('a text is written as in JSON: \\n, \\" and \\\\ for what it cannot hold', start)

    def word(self) -> str:
        """The next word that stands without quotes. Raises FilterWrong."""
        start = self.place()
        found = self.take(_WORD)
        if found is None or found[0].lower() in _KEYWORDS:
            self.wrong('expected a value: "text" in double quotes, or a single word', start)
        return found[0]

    def wrong(self, detail: str, start: int | None = None) -> NoReturn:
        """Raises FilterWrong, of here or of where something began."""
        raise FilterWrong((self.place() if start is None else start) + 1, detail)
