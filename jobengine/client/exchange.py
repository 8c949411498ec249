"""Requests and responses as values. A call is a conversation of them: who carries it out does the I/O."""

from collections.abc import Generator, Mapping
from typing import Final, Literal, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from jobengine.client.job import Job
from jobengine.errors import JobEngineError, NotFound

T = TypeVar("T")

UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)  # what a decoder raises

_NO_HEADERS: Final[Mapping[str, str]] = {}


class Request(Struct, frozen=True):
    """One thing asked of the broker."""

    method: str
    path: str  # behind /api/v2, with its query
    body: bytes | None = None
    headers: Mapping[str, str] = _NO_HEADERS
    wait: float = 0  # seconds that the broker may take before it answers
    once: bool = False  # to do it twice is not the same: not to be repeated when it may have been done
    pause: float = 0  # seconds to wait before it is sent


class Response(Struct, frozen=True):
    """What the broker answered."""

    status: int
    body: bytes
    headers: Mapping[str, str]  # looked up whatever their case


class Unanswered(Struct, frozen=True):
    """No response came."""

    reason: str
    was_sent: bool = True  # False: nothing of the request can have reached the broker
    advice: str = ""  # what to do, where that can be said


Call = Generator[Request, Response, T]


class _Gone(Struct):
    """Stands where a job would, when there is none any more."""

    state: Literal["gone"]


_JOB: Final = msgspec.json.Decoder(Job)
_GONE: Final = msgspec.json.Decoder(_Gone)


def decoded(response: Response, decoder: "msgspec.json.Decoder[T]") -> T:
    """The body. Raises JobEngineError when it is not what was expected."""
    try:
        return decoder.decode(response.body)
    except UNREADABLE:
        raise JobEngineError("this is no answer of API v2: is the address that of a broker?") from None


def decoded_job(response: Response) -> Job:
    """The only job of the response, with its version. Raises NotFound when it is gone."""
    try:
        job = decoded(response, _JOB)
    except JobEngineError:
        decoded(response, _GONE)
        raise NotFound from None
    version = response.headers.get("ETag")
    return job if version is None else replace(job, version=version.strip('"'))
