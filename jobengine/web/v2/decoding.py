"""Bytes and texts in, typed values out."""

import asyncio
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from jobengine.errors import Problem, ValidationFailed
from jobengine.web.request import Request
from jobengine.web.strict_json import check_json, is_surely_right, look_closely
from jobengine.web.v2.faults import all_that_is_wrong, in_words, parse_hook

LONG_BYTES: Final = 32 * 1024
VALUES_MOST: Final = 20_000

ValueT = TypeVar("ValueT")
StructT = TypeVar("StructT", bound=Struct)


def decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    """For bodies of this type."""
    return msgspec.json.Decoder(kind, dec_hook=parse_hook)


async def read_body(body: bytes, form: msgspec.json.Decoder[ValueT]) -> ValueT:
    """What a body holds; an empty one is an empty object.

    Raises InvalidJson, ValidationFailed with all that is wrong.
    """
    body = body or b"{}"
    await _check(body)
    try:
        return form.decode(body)
    except msgspec.ValidationError:
        problems = await asyncio.to_thread(all_that_is_wrong, body, form.type)
        raise refusal(problems) from None


async def _check(body: bytes) -> None:
    """What takes long is done on a thread: the worst of a mebibyte take half a second.

    A usual list of 1,000 jobs does not: it has few values for its length, and a thread would cost more.
    """
    if len(body) <= LONG_BYTES:
        check_json(body)
    elif sum(map(body.count, (b",", b"[", b"{"))) > VALUES_MOST:
        await asyncio.to_thread(check_json, body)
    elif not is_surely_right(body):
        await asyncio.to_thread(look_closely, body)


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
            problems.append(Problem(name, in_words(error, known[name].type)))
    given = request.query
    problems += [
        Problem(name, "is missing") for name, each in known.items() if each.required and name not in given
    ]
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
