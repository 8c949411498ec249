"""Values as a filter writes them, each as its field wants it."""

import math
import re
from typing import Final, assert_never

from jobengine.model.filters.fields import Field, Kind
from jobengine.model.filters.look import Sign, Value
from jobengine.model.filters.reader import Reader
from jobengine.model.filters.times import absolute, relative

_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?P<rest>(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)", re.ASCII)
_SIGNS: Final = {sign.value: sign for sign in (Sign.NULL, Sign.TRUE, Sign.FALSE)}


def read_value(reader: Reader, field: Field, now: int) -> Value:
    """The next value. Raises FilterWrong when it is not of the field's kind."""
    match field.kind:
        case Kind.WORD:
            return _word(reader, field.words)
        case Kind.NUMBER:
            return _number(reader)
        case Kind.TIME:
            return _time(reader, now)
        case Kind.TEXT:
            return read_text(reader)
        case Kind.JSON:
            return _json(reader)
        case _:
            assert_never(field.kind)


def read_text(reader: Reader) -> str:
    """The next value as a text, with quotes or without. Raises FilterWrong."""
    quoted = reader.quoted()
    return reader.word() if quoted is None else quoted


def _word(reader: Reader, words: tuple[str, ...]) -> str:
    start = reader.place()
    value = read_text(reader)
    if value not in words:
        reader.wrong(f"expected one of {', '.join(words)}", start)
    return value


def _number(reader: Reader) -> int | float:
    start = reader.place()
    number = _as_number(reader, reader.word(), start)
    if number is None:
        reader.wrong("expected a number", start)
    return number


def _time(reader: Reader, now: int) -> int:
    start = reader.place()
    found = relative(reader.text, start, now)
    if found is not None:
        time, reader.at = found
        return time
    written = absolute(read_text(reader))
    if written is None:
        reader.wrong('expected a time: "2026-01-31T10:00:00Z", or now - 2h (ms, s, m, h, d)', start)
    return written


def _json(reader: Reader) -> Value:
    start = reader.place()
    quoted = reader.quoted()
    if quoted is not None:
        return quoted
    word = reader.word()
    number = _as_number(reader, word, start)
    return _SIGNS.get(word, word) if number is None else number


def _as_number(reader: Reader, word: str, start: int) -> int | float | None:
    """The number that a word is; None of another word. Raises FilterWrong for one out of range."""
    found = _NUMBER.fullmatch(word)
    if found is None:
        return None
    number = float(word)
    if not math.isfinite(number):
        reader.wrong("this number is too large", start)
    return number if found["rest"] else int(word)
