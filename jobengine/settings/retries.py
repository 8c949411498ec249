"""Reads when a failed job is tried again: `backoff`, and `errors` by their kind."""

from typing import Any, Final

import yaml
from msgspec.structs import replace

from jobengine.model.backoff import Backoff, ErrorRule
from jobengine.settings.kinds import Duration, Number, Single
from jobengine.settings.mistakes import Place, quote
from jobengine.settings.nodes import line_of, shown
from jobengine.settings.values import ValueReader
from jobengine.settings.writing import FAIL

TEN_YEARS_MS: Final = 10 * 365 * 86_400_000
DELAY: Final = Duration(0, TEN_YEARS_MS)
DELAYS_MOST: Final = 100
KIND_LENGTH_MOST: Final = 100

# What is written → the field of Backoff, and what it may be.
_GROWTH: Final[dict[str, tuple[str, Single]]] = {
    "from": ("first", DELAY),
    "factor": ("factor", Number(1, 100)),
    "to": ("most", DELAY),
    "jitter": ("jitter", Number(0, 1)),
}


def read_backoff(values: ValueReader, node: yaml.Node, place: Place) -> Backoff:
    """The waiting times between attempts that are written there."""
    if isinstance(node, yaml.SequenceNode):
        return _read_list(values, node, place)
    if isinstance(node, yaml.MappingNode):
        return _read_growth(values, node, place)
    values.mistakes.add(line_of(node), place, f"must be {_choices()}", saw=shown(node))
    return Backoff()


def read_rules(values: ValueReader, node: yaml.Node, place: Place) -> tuple[ErrorRule, ...]:
    """What is done after each kind of error."""
    rules = []
    for kind, line, value in values.entries(node, place):
        if not 1 <= len(kind) <= KIND_LENGTH_MOST:
            wrong = f"a kind of error must have 1 to {KIND_LENGTH_MOST} characters"
            values.mistakes.add(line, place, wrong, saw=quote(kind))
        elif isinstance(value, yaml.ScalarNode):
            rules.append(_read_word(values, kind, value, (*place, kind)))
        else:
            rules.append(ErrorRule(kind, read_backoff(values, value, (*place, kind))))
    return tuple(rules)


def _read_word(values: ValueReader, kind: str, node: yaml.ScalarNode, place: Place) -> ErrorRule:
    if node.value != FAIL:
        values.mistakes.add(line_of(node), place, f"must be {FAIL}, or {_choices()}", saw=shown(node))
    return ErrorRule(kind, None)


def _read_list(values: ValueReader, node: yaml.SequenceNode, place: Place) -> Backoff:
    if not 1 <= len(node.value) <= DELAYS_MOST:
        wrong = f"must hold 1 to {DELAYS_MOST} times"
        values.mistakes.add(line_of(node), place, wrong, saw=str(len(node.value)))
        return Backoff()
    delays = [values.single(each, DELAY, place) for each in node.value]
    return Backoff(delays=tuple(delay for delay in delays if isinstance(delay, int)))


def _read_growth(values: ValueReader, node: yaml.MappingNode, place: Place) -> Backoff:
    found: dict[str, Any] = {}
    for name, line, value in values.entries(node, place):
        if name not in _GROWTH:
            values.unknown(line, place, name, _GROWTH)
            continue
        field, kind = _GROWTH[name]
        number = values.single(value, kind, (*place, name))
        if number is not None:
            found[field] = number
    backoff = replace(Backoff(), **found)
    if backoff.first > backoff.most:
        values.mistakes.add(line_of(node), place, '"from" is longer than "to"')
    return backoff


def _choices() -> str:
    return f"keys ({', '.join(_GROWTH)}), or a list; each {DELAY.expected}"
