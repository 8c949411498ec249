"""The kinds of values that options have: what is legal, how to say so, how to read and write one."""

import math
import re
from enum import StrEnum
from typing import Final

from msgspec import Struct

from jobengine.settings.durations import parse_duration, write_duration
from jobengine.settings.memory import parse_memory, parse_size, write_size

_DECIMAL: Final = re.compile(
    r"[-+]?(0|[1-9][0-9]{0,17})", re.ASCII
)  # 010 and 1:30 mean other numbers in YAML
_FLAGS: Final = {"true": True, "false": False}

Value = int | float | str | bool


class Tag(StrEnum):
    """What YAML takes a scalar for."""

    TEXT = "tag:yaml.org,2002:str"
    WHOLE = "tag:yaml.org,2002:int"
    NUMBER = "tag:yaml.org,2002:float"
    FLAG = "tag:yaml.org,2002:bool"
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

    @property
    def expected(self) -> str:
        """What a value must be, as a mistake and the reference say it; so for every kind."""
        return f"a whole number from {self.least} to {self.most}"

    def parse(self, plain: Plain) -> Value | None:
        """The value that is written there, or None if it is not a legal one; so for every single value."""
        return _within(_whole(plain), self.least, self.most)


class Number(Struct, frozen=True):
    """A number, fractions allowed."""

    least: float
    most: float

    @property
    def expected(self) -> str:
        """The range, or the only number."""
        if self.least == self.most:
            return f"{self.least:g}"
        return f"a number from {self.least:.12g} to {self.most:.12g}"

    def parse(self, plain: Plain) -> Value | None:
        """The number."""
        return _within(_number(plain), self.least, self.most)


class Size(Struct, frozen=True):
    """A number of bytes, or a size such as 64KiB."""

    least: int
    most: int

    @property
    def expected(self) -> str:
        """The range."""
        return f"a size from {write_size(self.least)} to {write_size(self.most)}"

    def parse(self, plain: Plain) -> Value | None:
        """The bytes."""
        return _within(parse_size(plain.text), self.least, self.most)


class Duration(Struct, frozen=True):
    """A time in milliseconds, written as seconds or with a unit."""

    least: int
    most: int

    @property
    def expected(self) -> str:
        """The range, and how to write it."""
        least, most = write_duration(self.least), write_duration(self.most)
        return f"a number of seconds or a time such as 90s, 10m or 2h, from {least} to {most}"

    def parse(self, plain: Plain) -> Value | None:
        """The milliseconds."""
        return _within(parse_duration(plain.text), self.least, self.most)


class Memory(Struct, frozen=True):
    """A size, or a part of the machine's memory such as 50%."""

    least: int

    @property
    def expected(self) -> str:
        """The least, and how to write it."""
        return f"a size such as 2GiB, or a percentage such as 50%, and at least {write_size(self.least)}"

    def parse(self, plain: Plain) -> Value | None:
        """The bytes."""
        return _within(parse_memory(plain.text), self.least, math.inf)


class Text(Struct, frozen=True):
    """A text of a pattern, and what to call it."""

    pattern: str
    expected: str

    def parse(self, plain: Plain) -> Value | None:
        """The text."""
        is_legal = plain.tag is Tag.TEXT and re.fullmatch(self.pattern, plain.text, re.ASCII)
        return plain.text if is_legal else None


class Choice(Struct, frozen=True):
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def expected(self) -> str:
        """All of them."""
        return " or ".join(self.words)

    def parse(self, plain: Plain) -> Value | None:
        """The word."""
        return plain.text if plain.text in self.words else None


class Flag(Struct, frozen=True):
    """Yes or no."""

    expected: str = "true or false"

    def parse(self, plain: Plain) -> Value | None:
        """The answer."""
        return _FLAGS.get(plain.text) if plain.tag is Tag.FLAG else None


class Several(Struct, frozen=True):
    """A list of different texts."""

    each: Text

    @property
    def expected(self) -> str:
        """What each must be."""
        return f"a list; each {self.each.expected}"


class Delays(Struct, frozen=True):
    """The waiting times between attempts: growing, or a list of them."""

    expected: str = "keys (from, factor, to, jitter), or a list of times such as [10s, 1m]"


class Rules(Struct, frozen=True):
    """What is done with jobs that failed, by the kind of error."""

    expected: str = "kinds of errors, each with fail, or with what backoff may be"


class Words(Struct, frozen=True):
    """A program and its arguments."""

    expected: str = "a list of words, or a text that is parted into words as a shell would"


class Pairs(Struct, frozen=True):
    """Names with a text each."""

    name: Text
    value: Text

    @property
    def expected(self) -> str:
        """What each must be."""
        return f"keys with values: each key {self.name.expected}, each value {self.value.expected}"


Single = Whole | Number | Size | Duration | Memory | Text | Choice | Flag
Kind = Single | Several | Words | Pairs | Delays | Rules


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
