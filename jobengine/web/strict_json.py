"""JSON as RFC 8259 and I-JSON (RFC 7493) want it, checked once when it comes in.

msgspec alone lets pass, inside a value that it keeps as raw bytes: duplicate names, bytes that are not UTF-8,
numbers like 1e999, and any depth.
"""

import json
import math
import re
from collections.abc import Iterable
from typing import Final

import msgspec

from jobengine.errors import InvalidJson

MAX_DEPTH: Final = 64

_GRAMMAR: Final = json.JSONDecoder(parse_int=len, parse_float=len)  # numbers as long as they like
_TOKEN: Final = re.compile(
    r"""(?P<name>"(?:[^"\\]|\\.)*"(?=\s*:))
      | (?P<text>"(?:[^"\\]|\\.)*")
      | (?P<opening>[\[{])
      | (?P<closing>[\]}])
      | (?P<number>[0-9][0-9.eE+-]*)
      | (?P<word>NaN|Infinity)""",
    re.VERBOSE,
)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def check_json(body: bytes) -> None:
    """Raises InvalidJson, with line and column."""
    if not _is_surely_right(body):
        _look_closely(body)


def _is_surely_right(body: bytes) -> bool:
    """A quick look that most bodies pass: as many colons as what they hold needs, so no name stood twice."""
    if b"\\u003" in body:  # a colon may be written so
        return False
    try:
        return _colons_in(msgspec.json.decode(body), MAX_DEPTH) == body.count(b":")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _colons_in(value: object, depth: int) -> int:
    """How many it is written with. Raises RecursionError for what is nested deeper."""
    if isinstance(value, dict):
        # One behind each name; joined by another one each, the names show all but the last of these.
        colons = ":".join(value).count(":") + 1 if value else 0
        inside: Iterable[object] = value.values()
    elif isinstance(value, list):
        colons, inside = 0, value
    else:
        return value.count(":") if isinstance(value, str) else 0
    if not depth:
        raise RecursionError
    for each in inside:
        if isinstance(each, str):
            colons += each.count(":")
        elif isinstance(each, (dict, list)):
            colons += _colons_in(each, depth - 1)
    return colons


def _look_closely(body: bytes) -> None:
    text = _decode(body)
    try:
        _GRAMMAR.decode(text)
    except json.JSONDecodeError as error:
        raise InvalidJson(f"{_place(text, error.pos)}: {error.msg}") from None
    except RecursionError:
        pass  # so deep that what follows stops long before what was not looked at
    _check_tokens(text)


def _decode(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        right = body[: error.start].decode()
        raise InvalidJson(f"{_place(right, len(right))}: not UTF-8") from None


def _check_tokens(text: str) -> None:
    """Looks for what the grammar lets pass."""
    names: list[set[str]] = []  # so far, in each object or list around
    for token in _TOKEN.finditer(text):
        fault = _fault(token, names)
        if fault is not None:
            raise InvalidJson(f"{_place(text, token.start())}: {fault}")


def _fault(token: re.Match[str], names: list[set[str]]) -> str | None:
    match token.lastgroup:
        case "opening":
            names.append(set())
            return f"nested deeper than {MAX_DEPTH}" if len(names) > MAX_DEPTH else None
        case "closing":
            names.pop()
            return None
        case "name":
            return _fault_of_name(_string(token[0]), names[-1])
        case "text":
            return _fault_of_text(_string(token[0]))
        case "number":
            return _fault_of_number(token[0])
        case _:
            return "NaN and Infinity are not JSON"


def _fault_of_number(number: str) -> str | None:
    if number.isdigit() or math.isfinite(float(number)):  # an integer may be as long as it likes
        return None
    return "a number is too large"


def _fault_of_name(name: str, names: set[str]) -> str | None:
    if name in names:
        return "an object holds the same name twice"
    names.add(name)
    return _fault_of_text(name)


def _fault_of_text(text: str) -> str | None:
    return "an escape stands for no character" if _SURROGATE.search(text) else None


def _string(literal: str) -> str:
    return str(json.loads(literal)) if "\\" in literal else literal[1:-1]


def _place(text: str, at: int) -> str:
    line = text.count("\n", 0, at) + 1
    return f"line {line}, column {at - text.rfind(chr(10), 0, at)}"
