"""The kinds of values that options have: what is legal, how to say so, how to read and write one."""

import math
import re
from enum import StrEnum
from typing import Final, assert_never

from msgspec import Struct

from jobengine.settings.memory import parse_memory, parse_size, write_size

_DECIMAL: Final = re.compile(
    r"[-+]?(0|[1-9][0-9]{0,17})", re.ASCII
)  # 010 and 1:30 mean other numbers in YAML


class Tag(StrEnum):
    """What YAML takes a scalar for."""

    TEXT = "tag:yaml.org,2002:str"
    WHOLE = "tag:yaml.org,2002:int"
    NUMBER = "tag:yaml.org,2002:float"
    NOTHING = "tag:yaml.org,2002:null"
    OTHER = "other"


class Plain(Struct, frozen=True):
    """A scalar of the file, after `${NAME}` was put in."""

    text: str
    tag: Tag


class Whole(Struct, frozen=True):
    """A whole number."""

    least: int
    most: int


class Number(Struct, frozen=True):
    """A number, fractions allowed."""

    least: float
    most: float


class Size(Struct, frozen=True):
    """A number of bytes, or a size such as 64KiB."""

    least: int
    most: int


class Memory(Struct, frozen=True):
    """A size, or a part of the machine's memory such as 50%."""

    least: int


class Text(Struct, frozen=True):
    """A text of a pattern, and what to call it."""

    pattern: str
    meaning: str


class Several(Struct, frozen=True):
    """A list of different texts."""

    each: Text


Single = Whole | Number | Size | Memory | Text
Kind = Single | Several
Value = int | float | str


def expected(kind: Kind) -> str:
    """What a value must be, as a mistake and the reference say it."""
    match kind:
        case Whole():
            return f"a whole number from {kind.least} to {kind.most}"
        case Number() if kind.least == kind.most:
            return f"{kind.least:g}"
        case Number():
            return f"a number from {kind.least:.12g} to {kind.most:.12g}"
        case Size():
            return f"a size from {write_size(kind.least)} to {write_size(kind.most)}"
        case Memory():
            return f"a size such as 2GiB, or a percentage such as 50%, and at least {write_size(kind.least)}"
        case Text():
            return kind.meaning
        case Several():
            return f"a list; each {kind.each.meaning}"
        case _:
            assert_never(kind)


def parse(kind: Single, plain: Plain) -> Value | None:
    """The value that is written there, or None if it is not a legal one."""
    match kind:
        case Whole():
            return _within(_whole(plain), kind.least, kind.most)
        case Number():
            return _within(_number(plain), kind.least, kind.most)
        case Size():
            return _within(parse_size(plain.text), kind.least, kind.most)
        case Memory():
            return _within(parse_memory(plain.text), kind.least, math.inf)
        case Text():
            legal = plain.tag is Tag.TEXT and re.fullmatch(kind.pattern, plain.text, re.ASCII)
            return plain.text if legal else None
        case _:
            assert_never(kind)


def written(kind: Kind, value: object) -> str:
    """A legal value, as it would be written in the file."""
    if isinstance(value, tuple | frozenset):
        return f"[{', '.join(sorted(value))}]"
    if isinstance(kind, Size) and isinstance(value, int):
        return write_size(value)
    return "null" if value is None else str(value)


def _whole(plain: Plain) -> int | None:
    return int(plain.text) if plain.tag is Tag.WHOLE and _DECIMAL.fullmatch(plain.text) else None


def _number(plain: Plain) -> float | None:
    if plain.tag is not Tag.NUMBER:
        return _whole(plain)
    try:
        number = float(plain.text)
    except ValueError:  # .inf, .nan and 1:30.5 are numbers to YAML
        return None
    return int(number) if number.is_integer() else number


def _within(number: float | None, least: float, most: float) -> float | None:
    return number if number is not None and least <= number <= most else None
