"""JSON as RFC 8259 and I-JSON (RFC 7493) want it, checked once when it comes in.

msgspec alone lets pass, inside a value that it keeps as raw bytes: duplicate names, bytes that are not UTF-8,
numbers like 1e999, and any depth.
"""

import json
import math
from typing import Final, NoReturn

import msgspec

from jobengine.errors import InvalidJson

MAX_DEPTH: Final = 64


def check_json(body: bytes) -> None:
    """Raises InvalidJson, with line and column where they are known."""
    if not _is_surely_right(body):
        _look_closely(body)


def _is_surely_right(body: bytes) -> bool:
    """A quick look that most bodies pass: as many names as colons, so that none can have stood twice."""
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        return False
    try:
        return _names_in(msgspec.json.decode(body)) == body.count(b":")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


def _names_in(value: object) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(_names_in, value.values()))
    return sum(map(_names_in, value)) if isinstance(value, list) else 0


def _look_closely(body: bytes) -> None:
    text = _decode(body)
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        _check_depth(text)
    try:
        _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise InvalidJson(f"line {error.lineno}, column {error.colno}: {error.msg}") from None


def _decode(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        column = error.start - body.rfind(b"\n", 0, error.start)
        raise InvalidJson(f"line {line}, column {column}: not UTF-8") from None


def _check_depth(text: str) -> None:
    """Raises InvalidJson for what is nested deeper than MAX_DEPTH; brackets in strings do not count."""
    depth = 0
    in_string = escaped = False
    for at, character in enumerate(text):
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                line = text.count("\n", 0, at) + 1
                column = at - text.rfind("\n", 0, at)
                raise InvalidJson(f"line {line}, column {column}: nested deeper than {MAX_DEPTH}")
        elif character in "]}":
            depth -= 1


def _names_once(pairs: list[tuple[str, object]]) -> None:
    names = {name for name, _ in pairs}
    if len(names) != len(pairs):
        raise InvalidJson("an object holds the same name twice")


def _refuse_constant(_: str) -> NoReturn:
    raise InvalidJson("NaN and Infinity are not JSON")


def _check_number(digits: str) -> None:
    if not math.isfinite(float(digits)):
        raise InvalidJson("a number is too large")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_names_once,
    parse_constant=_refuse_constant,
    parse_float=_check_number,
    parse_int=len,  # as long as it likes: nothing here calculates with it
)
