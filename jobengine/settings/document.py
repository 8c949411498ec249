"""YAML text to nodes that know their line. Nothing is built of it: no objects, no merged keys."""

from typing import Final

import yaml
from yaml.reader import ReaderError

from jobengine.errors import ConfigurationWrong
from jobengine.settings.nodes import children, line_of

NODES_MOST: Final = 200_000
DEPTH_MOST: Final = 16


def compose(text: str, *, source: str) -> yaml.Node | None:
    """The document in this text, or None if it holds nothing. Raises ConfigurationWrong."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _not_yaml(source, mark.line + 1 if mark else 1, error.problem or "cannot be read") from error
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _not_yaml(source, line, "a character that may not stand here") from error
    except RecursionError as error:
        raise _not_yaml(source, 1, "nested too deeply") from error
    except (ValueError, OverflowError) as error:  # PyYAML lets these through, from "\Uffffffff" for one
        raise _not_yaml(source, 1, "a character or version that does not exist") from error
    if root is not None:
        _refuse_bomb(root, source)
    return root


def _not_yaml(source: str, line: int, problem: str) -> ConfigurationWrong:
    return ConfigurationWrong(f"{source}:{line}: not YAML: {' '.join(problem.split())}")


def _refuse_bomb(root: yaml.Node, source: str) -> None:
    """A few aliases of aliases can stand for billions of nodes, or for an endless depth."""
    waiting = [(root, 1)]
    seen = 0
    while waiting:
        node, depth = waiting.pop()
        seen += 1
        if seen > NODES_MOST or depth > DEPTH_MOST:
            raise ConfigurationWrong(f"{source}:{line_of(node)}: too much in one file, or nested too deeply")
        waiting.extend((child, depth + 1) for child in children(node))
