"""Reads values out of nodes: keys, single values, lists. Every mistake is collected, none is raised."""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import yaml

from jobengine.settings.kinds import Pairs, Plain, Several, Single, Tag, Text, Value, Words
from jobengine.settings.mistakes import Mistakes, Place, quote
from jobengine.settings.nodes import line_of, plain, quoting_hint, shown, tag_of
from jobengine.settings.placeholders import PlaceholderError, fill

_WORD: Final = Text(r"(?s:[^\x00]{0,65536})", "a text")


class ValueReader:
    """Reads values of one document. Without an environment, `${NAME}` stands for nothing."""

    def __init__(self, environment: Mapping[str, str] | None, mistakes: Mistakes) -> None:
        self._environment = environment
        self.mistakes = mistakes

    def entries(self, node: yaml.Node, place: Place) -> Iterator[tuple[str, int, yaml.Node]]:
        """The keys of a mapping with their lines and values, each key once."""
        if not isinstance(node, yaml.MappingNode):
            self.mistakes.add(line_of(node), place, "must be keys with values", saw=shown(node))
            return
        lines: dict[str, int] = {}
        for key, value in node.value:
            line = line_of(key)
            if tag_of(key) is not Tag.TEXT:
                saw = f"{shown(key)}{quoting_hint(key)}"
                self.mistakes.add(line, place, "a key must be a text", saw=saw)
            elif key.value in lines:
                self.mistakes.add(line, place, f"{quote(key.value)} is already in line {lines[key.value]}")
            else:
                lines[key.value] = line
                yield key.value, line, value

    def unknown(self, line: int, place: Place, name: str, known: Iterable[str]) -> None:
        """There is no such key."""
        self.mistakes.add_name(line, place, "unknown key", name, known)

    def several(self, node: yaml.Node, kind: Several, place: Place) -> list[Value]:
        """The values of a list, each once."""
        values: dict[Value, None] = {}
        for each in self.elements(node, place):
            value = self.single(each, kind.each, place)
            if value is not None and value in values:
                self.mistakes.add(line_of(each), place, f"{shown(each)} is already in the list")
            elif value is not None:
                values[value] = None
        return list(values)

    def words(self, node: yaml.Node, kind: Words, place: Place) -> list[Value]:
        """The words of a list or of a text."""
        if isinstance(node, yaml.SequenceNode):
            words = [self.single(each, _WORD, place) for each in node.value]
            return [word for word in words if word is not None]
        text = self.single(node, Text(_WORD.pattern, kind.expected), place)
        try:
            return list(shlex.split(str(text))) if text is not None else []
        except ValueError:
            self.mistakes.add(line_of(node), place, "has a quote that is never closed", saw=shown(node))
            return []

    def pairs(self, node: yaml.Node, kind: Pairs, place: Place) -> dict[str, Value]:
        """The values by their names."""
        values: dict[str, Value] = {}
        for name, line, each in self.entries(node, place):
            if kind.name.parse(Plain(name, Tag.TEXT)) is None:
                self.mistakes.add(line, place, f"a key must be {kind.name.expected}", saw=quote(name))
            elif (value := self.single(each, kind.value, (*place, name))) is not None:
                values[name] = value
        return values

    def elements(self, node: yaml.Node, place: Place) -> list[yaml.Node]:
        """The nodes of a list."""
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        self.mistakes.add(line_of(node), place, "must be a list", saw=shown(node))
        return []

    def single(self, node: yaml.Node, kind: Single, place: Place) -> Value | None:
        """The value of a scalar; None when it is not a legal one."""
        try:
            value = kind.parse(self._filled(node))
        except PlaceholderError as wrong:
            self.mistakes.add(line_of(node), place, str(wrong))
            return None
        if value is None:
            hint = quoting_hint(node) if isinstance(kind, Text) else ""
            self.mistakes.add(line_of(node), place, f"must be {kind.expected}", saw=f"{shown(node)}{hint}")
        return value

    def _filled(self, node: yaml.Node) -> Plain:
        if not isinstance(node, yaml.ScalarNode):
            return Plain("", Tag.OTHER)
        return plain(node, node.value if self._environment is None else fill(node.value, self._environment))
