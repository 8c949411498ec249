"""Bytes and texts in, typed values out; and when that fails, all that is wrong with them."""

import asyncio
from collections.abc import Iterator
from difflib import get_close_matches
from itertools import islice
from types import UnionType
from typing import Annotated, Any, Final, Literal, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Raw, Struct, UnsetType
from msgspec.structs import fields

from jobengine.errors import Problem, ValidationFailed
from jobengine.web.request import Request
from jobengine.web.strict_json import is_surely_right, look_closely

PROBLEMS_MOST: Final = 100
LONG_BYTES: Final = 32 * 1024

ValueT = TypeVar("ValueT")
StructT = TypeVar("StructT", bound=Struct)


def parse_hook(kind: Any, value: object) -> Any:
    """Makes values of the types that know how they are written. Their ValueErrors become msgspec's."""
    return kind.parse(value)


def decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    """For bodies of this type."""
    return msgspec.json.Decoder(kind, dec_hook=parse_hook)


async def read_body(body: bytes, form: msgspec.json.Decoder[ValueT]) -> ValueT:
    """What a body holds; an empty one is an empty object.

    A long one that needs a close look is looked at on a thread: the worst of a mebibyte take half a second.
    Raises InvalidJson, ValidationFailed with all that is wrong.
    """
    body = body or b"{}"
    if not is_surely_right(body):
        await asyncio.to_thread(look_closely, body) if len(body) > LONG_BYTES else look_closely(body)
    try:
        return form.decode(body)
    except msgspec.ValidationError:
        problems = await asyncio.to_thread(_all_that_is_wrong, body, form.type)
        raise refusal(problems) from None


def read_query(request: Request, form: type[StructT]) -> StructT:
    """What stands behind the question mark. Raises ValidationFailed with all that is wrong."""
    known = {field.name: field for field in fields(form)}
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for name, text in request.query.items():
        if name not in known or name in values:
            detail = "one stands twice" if name in known else f"one is unknown; known are {', '.join(known)}"
            problems.append(Problem("query", detail))
            continue
        try:
            values[name] = msgspec.convert(text, known[name].type, strict=False, dec_hook=parse_hook)
        except msgspec.ValidationError as error:
            problems.append(Problem(name, _in_words(error, known[name].type)))
    if problems:
        raise refusal(problems)
    return form(**values)


def refusal(problems: list[Problem]) -> ValidationFailed:
    """These things are wrong."""
    details = "; ".join(f"{problem.pointer or 'the body'}: {problem.detail}" for problem in problems[:5])
    more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
    return ValidationFailed(details + more, errors=tuple(problems))


def wrong(pointer: str, detail: str) -> ValidationFailed:
    """This one thing is wrong."""
    return refusal([Problem(pointer, detail)])


# --- all that is wrong: looks a second time, slowly, at each value by itself ---


def _all_that_is_wrong(body: bytes, kind: Any) -> list[Problem]:
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
        yield Problem(pointer, _in_words(error, kind)) if first is None else first
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
    likely = get_close_matches(name, known, 1)
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


def _in_words(error: msgspec.ValidationError, kind: Any) -> str:
    """What msgspec found, without what was sent, and in plain words where a pattern says nothing."""
    text = str(error).partition(" - at `")[0]
    if text.startswith("Invalid enum value"):
        return f"must be one of {', '.join(_choices(kind))}"
    if "matching regex" in text:
        return f"must be {_description(kind)}"
    return text


def _choices(kind: Any) -> list[str]:
    if get_origin(kind) is Literal:
        return [str(each) for each in get_args(kind)]
    return [choice for inner in get_args(kind) for choice in _choices(inner)]


def _description(kind: Any) -> str:
    if get_origin(kind) is Annotated:
        described = (each.description for each in get_args(kind) if isinstance(each, Meta))
        return next((each for each in described if each), "of another form")
    inner = (_description(each) for each in get_args(kind) if each not in (type(None), UnsetType))
    return next(inner, "of another form")
