"""Answers that refuse, as the exceptions of errors.py."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

import msgspec
from msgspec import Struct

from jobengine.client.exchange import UNREADABLE, Response
from jobengine.errors import (
    BodyTooLarge,
    Forbidden,
    JobEngineError,
    NoSuchPath,
    OutcomeUnknown,
    Problem,
    Unavailable,
)

_SERVER_ERRORS: Final = 500


class Document(Struct, frozen=True):
    """What is used of an application/problem+json (RFC 9457)."""

    code: str
    detail: str = ""
    request_id: str | None = None
    errors: tuple[Problem, ...] = ()


_DOCUMENT: Final = msgspec.json.Decoder(Document)


def _kinds(of: type[JobEngineError] = JobEngineError) -> Iterator[tuple[str, type[JobEngineError]]]:
    for kind in of.__subclasses__():
        yield kind.code, kind
        yield from _kinds(kind)


_KINDS: Final = dict(_kinds())


def refusal(response: Response) -> JobEngineError:
    """What the response says, as an exception."""
    try:
        document = _DOCUMENT.decode(response.body)
    except UNREADABLE:
        return _of_a_stranger(response.status)
    return error_of(document, status=response.status)


def error_of(document: Document, *, status: int) -> JobEngineError:
    """Of the class that has this code. One that is not known here is a JobEngineError that names it.

    After a fault of the broker nobody knows what was done.
    """
    fault = OutcomeUnknown if status >= _SERVER_ERRORS else None
    kind = _KINDS.get(document.code, fault)
    detail = document.detail
    if document.code not in _KINDS and document.code != JobEngineError.code:
        detail = f"{document.code}: {detail}"
    if status >= _SERVER_ERRORS and document.request_id is not None:
        detail = f"{detail} (request {document.request_id})"
    error = JobEngineError.__new__(kind or JobEngineError)
    JobEngineError.__init__(error, detail, errors=document.errors)  # some kinds make their words themselves
    return error


def _of_a_stranger(status: int) -> JobEngineError:
    """A refusal that the broker did not write: a proxy did, or another server."""
    match status:
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return BodyTooLarge("what stands before the broker takes no request as large as this")
        case HTTPStatus.NOT_IMPLEMENTED:
            return NoSuchPath("no broker answers like this, with 501: is the address right?")
        case _ if status == HTTPStatus.TOO_MANY_REQUESTS or status >= _SERVER_ERRORS:
            return Unavailable(f"what stands before the broker answered {status}: try again soon")
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return Forbidden(f"what stands before the broker answered {status}: it does not let you in")
        case HTTPStatus.NOT_FOUND:
            return NoSuchPath("there is no API v2 here: is the address that of a broker?")
        case _:
            return JobEngineError(f"no broker answered this, with status {status}: is the address right?")
