"""What the nodes of a YAML document say about themselves."""

import yaml

from jobengine.settings.kinds import Plain, Tag
from jobengine.settings.mistakes import quote


def line_of(node: yaml.Node) -> int:
    """The line where it begins; the first is 1."""
    return int(node.start_mark.line) + 1


def line_at(node: yaml.Node, *keys: str) -> int:
    """The line of the key that these lead to, or of the last of them that is there."""
    line = line_of(node)
    for name in keys:
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        found = next(((key, value) for key, value in pairs if key.value == name), None)
        if found is None:
            break
        line, node = line_of(found[0]), found[1]
    return line


def children(node: yaml.Node) -> list[yaml.Node]:
    """What stands directly in it, keys included."""
    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def tag_of(node: yaml.Node) -> Tag:
    """What YAML takes it for."""
    return _tag(node.tag)


def plain(node: yaml.ScalarNode, text: str) -> Plain:
    """The scalar as if `text` had been written there, with the same quotes or none."""
    if text == node.value or node.style is not None:
        return Plain(text, tag_of(node))
    # As PyYAML's own resolver does it: by the first character.
    patterns = yaml.SafeLoader.yaml_implicit_resolvers.get(text[:1], [])
    return Plain(text, next((_tag(name) for name, pattern in patterns if pattern.match(text)), Tag.TEXT))


def shown(node: yaml.Node) -> str:
    """How a mistake calls it: as it was written, never what the environment put there."""
    if isinstance(node, yaml.MappingNode):
        return "keys with values"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    if tag_of(node) is Tag.NOTHING:
        return "nothing"
    return quote(node.value) if tag_of(node) is Tag.TEXT or not node.value.isprintable() else node.value


def quoting_hint(node: yaml.Node) -> str:
    """What to do where YAML takes a word for something else, such as no, 12 or 2024-01-01."""
    if not isinstance(node, yaml.ScalarNode) or tag_of(node) in (Tag.TEXT, Tag.NOTHING):
        return ""
    return " (write it in quotes)" if node.value[:1].isalnum() else ""


def _tag(name: str) -> Tag:
    return Tag(name) if name in set(Tag) else Tag.OTHER
