"""All that is wrong with a body: a second, slow look, at each value by itself."""

from collections.abc import Iterator
from difflib import get_close_matches
from enum import Enum
from itertools import islice
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Raw, Struct
from msgspec.structs import fields

from jobengine.errors import Problem

PROBLEMS_MOST: Final = 100
_NAME_MOST: Final = 100  # characters of an unknown name that are compared with the known ones


def parse_hook(kind: Any, value: object) -> Any:
    """Makes values of the types that know how they are written. Their ValueErrors become msgspec's."""
    return kind.parse(value)


def all_that_is_wrong(body: bytes, kind: Any) -> list[Problem]:
    """At most PROBLEMS_MOST things, each with its place."""
    return list(islice(_faults(body, kind, ""), PROBLEMS_MOST))


def _faults(value: bytes, kind: Any, pointer: str) -> Iterator[Problem]:
    try:
        msgspec.json.decode(value, type=kind, dec_hook=parse_hook)
    except msgspec.ValidationError as error:
        inner = _of_that_shape(kind, value.lstrip()[:1])
        found: Iterator[Problem] = iter(())
        if isinstance(inner, type) and issubclass(inner, Struct):
            found = _faults_of_object(value, inner, pointer)
        elif get_origin(inner) is list:
            found = _faults_of_list(value, get_args(inner)[0], pointer)
        first = next(found, None)
        yield Problem(pointer, in_words(error, kind)) if first is None else first
        yield from found


def _faults_of_object(value: bytes, kind: type[Struct], pointer: str) -> Iterator[Problem]:
    members = msgspec.json.decode(value, type=dict[str, Raw])
    known = {field.encode_name: field for field in fields(kind)}
    for name in members.keys() - known.keys():
        yield Problem(pointer, _unknown(name, list(known)))
    for name, field in known.items():
        if name in members:
            yield from _faults(bytes(members[name]), field.type, f"{pointer}/{name}")
        elif field.required:
            yield Problem(f"{pointer}/{name}", "is missing")


def _faults_of_list(value: bytes, kind: Any, pointer: str) -> Iterator[Problem]:
    for place, each in enumerate(msgspec.json.decode(value, type=list[Raw])):
        yield from _faults(bytes(each), kind, f"{pointer}/{place}")


def _unknown(name: str, known: list[str]) -> str:
    """Never says the name itself: what was sent is not said again."""
    likely = get_close_matches(name[:_NAME_MOST], known, 1)
    guess = f" (did you mean {likely[0]}?)" if likely else ""
    return f"holds a field that is unknown{guess}; known are {', '.join(known)}"


def _of_that_shape(kind: Any, first: bytes) -> Any:
    """Of the types that are allowed, the one for an object or for a list; Annotated is taken off."""
    if get_origin(kind) is Annotated:
        return _of_that_shape(get_args(kind)[0], first)
    if get_origin(kind) in (Union, UnionType):
        inner = (_of_that_shape(each, first) for each in get_args(kind))
        return next((each for each in inner if each is not None), None)
    is_object = isinstance(kind, type) and issubclass(kind, Struct)
    return kind if (first == b"{" and is_object) or (first == b"[" and get_origin(kind) is list) else None


def in_words(error: msgspec.ValidationError, kind: Any) -> str:
    """What msgspec found, without what was sent, and in plain words where a pattern says nothing."""
    text = str(error).partition(" - at ")[0]
    if text.startswith("Invalid enum value"):
        return f"must be one of {', '.join(_choices(kind))}"
    if "matching regex" in text:
        return f"must be {_description(kind) or 'of another form'}"
    return text


def _choices(kind: Any) -> list[str]:
    if get_origin(kind) is Literal:
        return [str(each) for each in get_args(kind)]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(each.value) for each in kind]
    return [choice for inner in get_args(kind) for choice in _choices(inner)]


def _description(kind: Any) -> str | None:
    """What a pattern stands for: the first description in the type, outer ones first."""
    inner = get_args(kind)
    said = (each.description for each in inner if isinstance(each, Meta))
    found = next((each for each in said if each), None)
    return found or next((text for each in inner if (text := _description(each))), None)
