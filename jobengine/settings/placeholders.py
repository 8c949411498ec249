"""`${NAME}` and `${NAME:-default}` in values; `$${` stands for `${`."""

import re
from collections.abc import Mapping
from typing import Final

# The SECRET belongs in no other place: a value of the configuration may come to be shown.
_NEVER: Final = frozenset({"SECRET"})
_PLACEHOLDER: Final = re.compile(
    r"(?P<escaped>\$\$\{)|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(:-(?P<default>[^}]*))?\}|(?P<broken>\$\{)",
    re.ASCII,
)


class PlaceholderError(ValueError):
    """A placeholder that nothing can be put in for."""


def fill(text: str, environment: Mapping[str, str]) -> str:
    """The text with the values of the environment. As in a shell, an empty variable takes the default.

    Raises PlaceholderError.
    """

    def value_of(found: re.Match[str]) -> str:
        if found["escaped"]:
            return "${"
        if found["broken"]:
            raise PlaceholderError('"${" must be followed by a name and "}"; "$${" stands for "${" itself')
        return _value(found["name"], found["default"], environment)

    return _PLACEHOLDER.sub(value_of, text)


def _value(name: str, default: str | None, environment: Mapping[str, str]) -> str:
    if name in _NEVER:
        raise PlaceholderError(f"{name} is not for the configuration")
    value = environment.get(name, "")
    if not value and default is not None:
        return default
    if name not in environment:
        raise PlaceholderError(
            f"the environment has no {name}, and there is no default (${{{name}:-default}})"
        )
    return value
