"""Reads the walks through a page that a reader can follow in two terminals, and checks what they say."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

SERVER: Final = "make run"

_BLOCK: Final = re.compile(r"^```(?P<kind>sh|console)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_VARYING: Final = re.compile(
    r"(?P<uid>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)|(?P<time>\b\d{10}\b)|…"
)


@dataclass(frozen=True)
class Step:
    """A command, and what it prints. `SERVER` is for the first terminal, all else for the second."""

    command: str
    output: str


def steps(page: str) -> Iterator[Step]:
    """All steps of a page, in order: each `make run`, and each command of a console."""
    for block in _BLOCK.finditer(page):
        if block["kind"] == "console":
            yield from _console(block["text"])
        elif block["text"].strip() == SERVER:
            yield Step(SERVER, "")


def _console(text: str) -> Iterator[Step]:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command = re.match(r"(?:.*\\\n)*.*\n", part)
        assert command is not None, part
        yield Step(command[0].rstrip("\n"), part[command.end() :].rstrip("\n"))


@dataclass
class Reader:
    """Knows which uids of the page stand for which real ones, as a reader who copies them does."""

    uids: dict[str, str] = field(default_factory=dict)

    def command(self, text: str) -> str:
        """The command with the real uids."""
        for shown, real in self.uids.items():
            text = text.replace(shown, real)
        return text

    def accepts(self, shown: str, real: str) -> bool:
        """Whether the page shows what came: the same but for times, new uids, and what "…" stands for."""
        varying = list(_VARYING.finditer(shown))
        pattern = "".join(map(self._pattern, _VARYING.split(shown)[:: _VARYING.groups + 1], [*varying, None]))
        found = re.fullmatch(pattern, real)
        if found is None:
            return False
        new = [each["uid"] for each in varying if each["uid"] and each["uid"] not in self.uids]
        self.uids.update(zip(new, found.groups(), strict=True))
        return True

    def _pattern(self, text: str, varying: re.Match[str] | None) -> str:
        """Of a text, and of what varies behind it."""
        if varying is None:
            behind = ""
        elif uid := varying["uid"]:
            behind = re.escape(self.uids[uid]) if uid in self.uids else "([0-9a-f-]{36})"
        else:
            behind = r"\d{10}" if varying["time"] else ".*"
        return re.escape(text) + behind
