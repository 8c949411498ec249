"""Walks the nodes of a configuration along the table of options. Collects values, and every mistake."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

import yaml

from jobengine.settings.kinds import Plain, Several, Single, Tag, Text, Value, expected, parse
from jobengine.settings.mistakes import Mistakes, quote
from jobengine.settings.nodes import line_of, plain, quoting_hint, shown, tag_of
from jobengine.settings.options import NAME, QUEUE, QUEUES, SECTIONS, Option, options_of
from jobengine.settings.placeholders import PlaceholderError, fill

Values = dict[str, object]


class Reader:
    """Reads one document."""

    def __init__(self, environment: Mapping[str, str], mistakes: Mistakes) -> None:
        self._environment = environment
        self._mistakes = mistakes

    def settings(self, root: yaml.Node) -> Values:
        """The values of the whole file; what it does not name is not there."""
        values: Values = {}
        queues: list[Values] | None = None
        for name, line, node in self._entries(root, ""):
            if name == QUEUES:
                queues = [self._queue(*entry) for entry in self._entries(node, QUEUES)]
            elif name in SECTIONS:
                values[name] = self._options(node, section=name, path=name)
            elif name in options_of(""):
                values[name] = self._option(node, options_of("")[name], name)
            else:
                self._unknown(line, "", name, [*options_of(""), *SECTIONS, QUEUES])
        if queues is None and isinstance(root, yaml.MappingNode):
            self._mistakes.add(line_of(root), "", f'"{QUEUES}" is missing (write "{QUEUES}: {{}}" for none)')
        return {**values, QUEUES: [{**_inherited(values), **queue} for queue in queues or ()]}

    def _queue(self, name: str, line: int, node: yaml.Node) -> Values:
        if parse(NAME, Plain(name, Tag.TEXT)) is None:
            self._mistakes.add(line, QUEUES, f"a queue's name must be {expected(NAME)}, not {quote(name)}")
            return {}
        path = f"{QUEUES}.{name}"
        values = self._options(node, section=QUEUE, path=path)
        for option in options_of(QUEUE).values():
            if option.needed and option.name not in values and isinstance(node, yaml.MappingNode):
                self._mistakes.add(
                    line, path, f'"{option.name}" is missing (write "{option.name}: []" for nobody)'
                )
        return {"name": name, **values}

    def _options(self, node: yaml.Node, *, section: str, path: str) -> Values:
        options = options_of(section)
        values: Values = {}
        for name, line, value in self._entries(node, path):
            if name in options:
                values[name] = self._option(value, options[name], f"{path}.{name}")
            else:
                self._unknown(line, path, name, list(options))
        return values

    def _entries(self, node: yaml.Node, path: str) -> Iterator[tuple[str, int, yaml.Node]]:
        """The keys of a mapping with their lines and values, each key once."""
        if not isinstance(node, yaml.MappingNode):
            self._mistakes.add(line_of(node), path, f"must be keys with values, not {shown(node)}")
            return
        lines: dict[str, int] = {}
        for key, value in node.value:
            line = line_of(key)
            if tag_of(key) is not Tag.TEXT:
                self._mistakes.add(line, path, f"a key must be a text, not {shown(key)}{quoting_hint(key)}")
            elif key.value in lines:
                self._mistakes.add(line, path, f"{quote(key.value)} is already in line {lines[key.value]}")
            else:
                lines[key.value] = line
                yield key.value, line, value

    def _unknown(self, line: int, path: str, name: str, known: list[str]) -> None:
        near = get_close_matches(name, known, n=1)
        suggestion = f" (did you mean {quote(near[0])}?)" if near else ""
        self._mistakes.add(line, path, f"unknown key {quote(name)}{suggestion}")

    def _option(self, node: yaml.Node, option: Option, path: str) -> object:
        if isinstance(option.kind, Several):
            return self._several(node, option.kind, path)
        if tag_of(node) is Tag.NOTHING and option.default is None:
            return None
        return self._single(node, option.kind, path)

    def _several(self, node: yaml.Node, kind: Several, path: str) -> list[Value]:
        if not isinstance(node, yaml.SequenceNode):
            self._mistakes.add(line_of(node), path, f"must be a list, not {shown(node)}")
            return []
        values: dict[Value, None] = {}
        for each in node.value:
            value = self._single(each, kind.each, path)
            if value is not None and value in values:
                self._mistakes.add(line_of(each), path, f"{shown(each)} is already in the list")
            elif value is not None:
                values[value] = None
        return list(values)

    def _single(self, node: yaml.Node, kind: Single, path: str) -> Value | None:
        try:
            value = parse(kind, self._filled(node))
        except PlaceholderError as wrong:
            self._mistakes.add(line_of(node), path, str(wrong))
            return None
        if value is None:
            hint = quoting_hint(node) if isinstance(kind, Text) else ""
            self._mistakes.add(line_of(node), path, f"must be {expected(kind)}, not {shown(node)}{hint}")
        return value

    def _filled(self, node: yaml.Node) -> Plain:
        if not isinstance(node, yaml.ScalarNode):
            return Plain("", Tag.OTHER)
        return plain(node, fill(node.value, self._environment))


def _inherited(values: Values) -> Values:
    """What every queue has that does not say otherwise."""
    return {
        name: values[name] for name, option in options_of(QUEUE).items() if option.inherits and name in values
    }
