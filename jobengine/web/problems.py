"""Refusals as HTTP says them: application/problem+json (RFC 9457)."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

import msgspec

from jobengine import errors
from jobengine.errors import JobEngineError
from jobengine.web.reply import Reply

Statuses = Mapping[str, HTTPStatus]  # by code

PROBLEM_JSON: Final = b"application/problem+json"
RETRY_SECONDS: Final = 5

# The one table of codes and statuses. A refusal that is not here is a fault of the server: 500.
STATUSES: Final[Statuses] = MappingProxyType(
    {
        errors.HeaderMissing.code: HTTPStatus.BAD_REQUEST,
        errors.DuplicateHeader.code: HTTPStatus.BAD_REQUEST,
        errors.NotFound.code: HTTPStatus.NOT_FOUND,
        errors.NoSuchPath.code: HTTPStatus.NOT_FOUND,
        errors.Forbidden.code: HTTPStatus.FORBIDDEN,
        errors.CertificateUnknown.code: HTTPStatus.UNAUTHORIZED,
        errors.PasswordWrong.code: HTTPStatus.UNAUTHORIZED,
        errors.ArchiveRefused.code: HTTPStatus.BAD_REQUEST,
        errors.HostRefused.code: HTTPStatus.MISDIRECTED_REQUEST,
        errors.OriginRefused.code: HTTPStatus.FORBIDDEN,
        errors.BadRequest.code: HTTPStatus.BAD_REQUEST,
        errors.HeadersTooLarge.code: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        errors.UriTooLong.code: HTTPStatus.REQUEST_URI_TOO_LONG,
        errors.MethodNotAllowed.code: HTTPStatus.METHOD_NOT_ALLOWED,
        errors.BodyTimeout.code: HTTPStatus.REQUEST_TIMEOUT,
        errors.BodyTooLarge.code: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        errors.UnsupportedMediaType.code: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        errors.InvalidJson.code: HTTPStatus.BAD_REQUEST,
        errors.ValidationFailed.code: HTTPStatus.BAD_REQUEST,
        errors.BadState.code: HTTPStatus.CONFLICT,
        errors.LeaseLost.code: HTTPStatus.CONFLICT,
        errors.VersionChanged.code: HTTPStatus.PRECONDITION_FAILED,
        errors.KeyReused.code: HTTPStatus.UNPROCESSABLE_ENTITY,
        errors.QueueFull.code: HTTPStatus.TOO_MANY_REQUESTS,
        errors.LogFull.code: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        errors.Unavailable.code: HTTPStatus.SERVICE_UNAVAILABLE,
        errors.StorageFull.code: HTTPStatus.INSUFFICIENT_STORAGE,
        errors.OutcomeUnknown.code: HTTPStatus.SERVICE_UNAVAILABLE,
    }
)
# Where API v2 differs from the documented v1.
V2_STATUSES: Final[Statuses] = MappingProxyType(
    {
        **STATUSES,
        errors.HeaderMissing.code: HTTPStatus.UNAUTHORIZED,
        errors.ValidationFailed.code: HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
_ASK_AGAIN: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
# After these nobody knows where the next request would begin, or more of the body is to come.
_CLOSING: Final = frozenset(
    {
        errors.BadRequest.code,
        errors.HeadersTooLarge.code,
        errors.UriTooLong.code,
        errors.BodyTimeout.code,
        errors.BodyTooLarge.code,
    }
)


def problem(error: JobEngineError, request_id: bytes, statuses: Statuses = STATUSES) -> Reply:
    """A refusal as an answer."""
    told = document(error, statuses)
    told["request_id"] = request_id.decode()
    return Reply(
        told["status"],
        msgspec.json.encode(told),
        content_type=PROBLEM_JSON,
        headers=b"".join(_headers(error, told["status"])),
        closes=error.code in _CLOSING,
    )


def document(error: JobEngineError, statuses: Statuses = STATUSES) -> dict[str, Any]:
    """A refusal in words. Whatever is not meant for callers says no more than that it happened."""
    status = statuses.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)
    known = error.code in statuses
    told: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": error.detail if known else "the server failed; its log tells more under this request id",
        "code": error.code if known else JobEngineError.code,
    }
    if error.errors:
        told["errors"] = error.errors
    return told


def _headers(error: JobEngineError, status: int) -> Iterator[bytes]:
    if status in _ASK_AGAIN:
        yield b"Retry-After: %d\r\n" % RETRY_SECONDS
    if status == HTTPStatus.UNAUTHORIZED:
        yield b'WWW-Authenticate: JobEngine header="X-Name"\r\n'  # RFC 9110, 11.6.1: there must be one
    if isinstance(error, errors.MethodNotAllowed):
        yield f"Allow: {', '.join(sorted(error.allowed))}\r\n".encode()
