"""JSON as RFC 8259 and I-JSON (RFC 7493) want it, checked once when it comes in.

msgspec alone lets pass, inside a value that it keeps as raw bytes: duplicate names, bytes that are not UTF-8,
numbers like 1e999, and any depth.
"""

import json
import math
import re
from typing import Any, Final

import msgspec

from jobengine.errors import InvalidJson

MAX_DEPTH: Final = 64

_CONTAINERS: Final = frozenset({dict, list})
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
    if not is_surely_right(body):
        look_closely(body)


def is_surely_right(body: bytes) -> bool:
    """A quick look that most bodies pass: no colon is lost when what they hold is written again.

    A name that stood twice would be written once.
    """
    if b"\\u003" in body:  # a colon may be written so
        return False
    try:
        value = msgspec.json.decode(body)
        if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
            return False
        return msgspec.json.encode(value).count(b":") == body.count(b":")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False


def _is_deeper(value: object, depth: int) -> bool:
    """Whether objects and lists are nested deeper than this. Looks level by level."""
    level: list[Any] = [value] if type(value) in _CONTAINERS else []
    while level and depth:
        depth -= 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) in _CONTAINERS
        ]
    return bool(level)


def look_closely(body: bytes) -> None:
    """Raises InvalidJson, with line and column. Slow: the worst of a mebibyte take half a second."""
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
