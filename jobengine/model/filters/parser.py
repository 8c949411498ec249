"""The grammar of filters.

any        = all {"or" all}
all        = one {"and" one}
one        = "not" one | "(" any ")" | comparison
comparison = field operator value | field "in" "(" value {"," value} ")"
field      = name | ("content" | "result") {"." name | "[" number "]" | "[" text "]"}
operator   = "=" | "!=" | "<" | "<=" | ">" | ">=" | "~"
value      = text in double quotes | number | "true" | "false" | "null" | time | word
"""

import operator
import re
from functools import partial
from typing import Final

from jobengine.model.filters.conditions import (
    ALL_STATES,
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Contains,
    InState,
    NoneOf,
    Not,
    OneOf,
    Ordered,
)
from jobengine.model.filters.fields import DOCUMENTS, FIELDS, STATE, Field, Kind
from jobengine.model.filters.look import Sign, Step, Value
from jobengine.model.filters.reader import Reader
from jobengine.model.filters.values import read_text, read_value
from jobengine.model.states import State

DEPTH_MOST: Final = 32
VALUES_MOST: Final = 100  # of `in`

_NAME: Final = re.compile(r"[a-z_]+")
_STEP: Final = re.compile(r'\.(?P<name>[\w$@-]+)|\[(?:(?P<place>[0-9]{1,9})|(?P<text>"(?:[^"\\]|\\.)*"))\]')
_OPERATOR: Final = re.compile(r"!=|<=|>=|[=<>~]")
_ORDERS: Final[dict[str, Compare]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Parser:
    """Makes a condition of a text."""

    def __init__(self, text: str, now: int) -> None:
        """Raises FilterWrong for a text that is too long."""
        self.documents: set[str] = set()  # into which paths lead
        self._reader = Reader(text)
        self._now = now

    def condition(self) -> Condition:
        """What all of the text asks. Raises FilterWrong."""
        condition = self._any(0)
        if self._reader.place() < len(self._reader.text):
            self._reader.wrong('expected "and", "or" or the end')
        return condition

    def _any(self, depth: int) -> Condition:
        parts = [self._all(depth)]
        while self._reader.keyword("or"):
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _all(self, depth: int) -> Condition:
        parts = [self._one(depth)]
        while self._reader.keyword("and"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _one(self, depth: int) -> Condition:
        if depth > DEPTH_MOST:
            self._reader.wrong(f"nested deeper than {DEPTH_MOST}")
        if self._reader.keyword("not"):
            return Not(self._one(depth + 1))
        if self._reader.sign("("):
            condition = self._any(depth + 1)
            self._reader.expect(")")
            return condition
        return self._comparison()

    def _comparison(self) -> Condition:
        field = self._field()
        start = self._reader.place()
        if self._reader.keyword("in"):
            return _one_of(field, self._values(field))
        found = self._reader.take(_OPERATOR)
        if found is None:
            self._reader.wrong("expected one of = != < <= > >= ~ in")
        sign = found[0]
        if field.kind is Kind.WORD and sign not in ("=", "!="):
            self._reader.wrong("this field is compared with = != in only", start)
        if sign == "~" and field.kind in (Kind.NUMBER, Kind.TIME):
            self._reader.wrong("this field is compared with = != < <= > >= in only", start)
        return self._compared(field, sign)

    def _compared(self, field: Field, sign: str) -> Condition:
        if sign == "~":
            return Contains(field.values, read_text(self._reader).casefold())
        start = self._reader.place()
        value = read_value(self._reader, field, self._now)
        if sign == "=":
            return _one_of(field, frozenset({value}))
        if sign == "!=":
            return _none_of(field, frozenset({value}))
        if isinstance(value, Sign):
            self._reader.wrong("true, false and null have no order: compare them with = != in", start)
        return Ordered(field.values, _ORDERS[sign], value)

    def _field(self) -> Field:
        start = self._reader.place()
        found = self._reader.take(_NAME)
        name = "" if found is None else found[0]
        if name in DOCUMENTS:
            self.documents.add(name)
            return Field(Kind.JSON, partial(DOCUMENTS[name], self._path()))
        if name not in FIELDS:
            names = ", ".join((*FIELDS, *(f"{document}.PATH" for document in DOCUMENTS)))
            self._reader.wrong(f"expected a field: {names}", start)
        return FIELDS[name]

    def _path(self) -> tuple[Step, ...]:
        reader, steps = self._reader, list[Step]()
        while step := _STEP.match(reader.text, reader.at):
            if step["text"] is not None:
                steps.append(reader.unquoted(step["text"], step.start("text")))
            else:
                steps.append(step["name"] or int(step["place"]))
            reader.at = step.end()
        if reader.text.startswith((".", "["), reader.at):
            reader.wrong('expected .name, [number] or ["any name"]')
        return tuple(steps)

    def _values(self, field: Field) -> frozenset[Value]:
        self._reader.expect("(")
        values = [read_value(self._reader, field, self._now)]
        while self._reader.sign(","):
            if len(values) == VALUES_MOST:
                self._reader.wrong(f"in takes {VALUES_MOST} values at most")
            values.append(read_value(self._reader, field, self._now))
        self._reader.expect(")")
        return frozenset(values)


def _one_of(field: Field, wanted: frozenset[Value]) -> Condition:
    return InState(_states(wanted)) if field is STATE else OneOf(field.values, wanted)


def _none_of(field: Field, unwanted: frozenset[Value]) -> Condition:
    return InState(ALL_STATES - _states(unwanted)) if field is STATE else NoneOf(field.values, unwanted)


def _states(names: frozenset[Value]) -> frozenset[State]:
    return frozenset(state for state in ALL_STATES if state in names)
