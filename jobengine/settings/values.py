"""Reads values out of nodes: keys, single values, lists. Every mistake is collected, none is raised."""

from collections.abc import Iterable, Iterator, Mapping

import yaml

from jobengine.settings.kinds import Plain, Several, Single, Tag, Text, Value
from jobengine.settings.mistakes import Mistakes, Place, quote
from jobengine.settings.nodes import line_of, plain, quoting_hint, shown, tag_of
from jobengine.settings.placeholders import PlaceholderError, fill


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
