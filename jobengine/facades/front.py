"""What all facades have in common: who asks, which queue, and how refusals look."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

import msgspec
from msgspec import Struct

from jobengine.access import Access, Action
from jobengine.engine.interface import Engine
from jobengine.errors import JobEngineError, OriginRefused, UnsupportedMediaType, ValidationFailed
from jobengine.model.job import Job
from jobengine.web.body import BodyReader
from jobengine.web.caller import who_asks
from jobengine.web.patience import Patience
from jobengine.web.problems import STATUSES
from jobengine.web.reply import Reply
from jobengine.web.request import Request
from jobengine.web.routes import Answer, Description, Route, Variables
from jobengine.web.strict_json import check_json

_UID: Final = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)
_SAFE_SITES: Final = frozenset({"none", "same-origin"})


class Front(Struct, frozen=True):
    """The way from an older system's routes to a queue."""

    engine: Engine
    access: Access
    bodies: BodyReader
    patience: Patience
    queue: str
    service: str | None  # that these routes act as; None: who the client's certificate says

    def check(self, request: Request, action: Action, *, queue: str | None = None) -> None:
        """Whether the caller may. Raises what `access` raises, CertificateUnknown, HeaderMissing."""
        self.access.check(self.service or who_asks(request), action, queue or self.queue)

    async def job(self, uid: str, *, queue: str | None = None) -> Job:
        """One of its jobs. Raises NotFound."""
        return await self.engine.job(queue or self.queue, uid)

    async def content(self, job: Job) -> dict[str, Any]:
        """What is to be run."""
        return _object(await self.engine.content(job.content))

    async def result(self, job: Job) -> dict[str, Any]:
        """What came of it; empty while there is nothing."""
        result = job.more.result
        return {} if result is None else _object(await self.engine.content(result))


def route(
    method: str,
    path: str,
    action: Action,
    answer: Answer,
    refused: Callable[[JobEngineError, Variables], Reply | None],
    description: Description | None = None,
) -> Route:
    """A route whose refusals are told as the older system told them; None: as this one does."""

    @wraps(answer)
    async def answered(request: Request, variables: Variables) -> Reply:
        try:
            if method == "GET" and action is Action.CONTROL:
                check_site(request)
            return await answer(request, variables)
        except JobEngineError as refusal:
            if (reply := refused(refusal, variables)) is None:
                raise
            return reply

    return Route(method, path, action, answered, description=description)


def check_site(request: Request) -> None:
    """That no page of another site sends the browser here: a GET that changes something says no Origin.

    Raises OriginRefused. (Fetch Metadata, W3C, section 2.1.)
    """
    if request.headers.get("Sec-Fetch-Site", "none") not in _SAFE_SITES:
        raise OriginRefused("a page of another site may not do this")


async def read_object(front: Front, request: Request) -> dict[str, Any]:
    """The body, which must be a JSON object, and said to be one: pages of other sites cannot say so unasked.

    Raises InvalidJson, ValidationFailed, UnsupportedMediaType, and what `bodies` raises.
    """
    if "Content-Type" not in request.headers:
        raise UnsupportedMediaType("Content-Type must be there, and say application/json")
    body = await front.bodies.read(request)
    check_json(body)
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.ValidationError:
        raise ValidationFailed("the body must be a JSON object") from None


def field(body: dict[str, Any], name: str) -> Any:
    """The value of a field, in whatever case its name is written, as in Go; None when it is not there."""
    if name in body:
        return body[name]
    return next((value for key, value in body.items() if key.lower() == name.lower()), None)


def status_of(refusal: JobEngineError) -> int:
    """The HTTP status of a refusal."""
    return int(STATUSES.get(refusal.code, 500))


def is_told(refusal: JobEngineError) -> bool:
    """Whether callers may read what it says."""
    return refusal.code in STATUSES


def shown(value: object, status: int = 200) -> Reply:
    """A value as JSON."""
    return Reply(status, msgspec.json.encode(value))


def legal_uid(text: str) -> str | None:
    """The text, when it is a UUID: nothing else that was sent is repeated."""
    return text if _UID.fullmatch(text) else None


def progress_of(job: Job) -> dict[str, Any]:
    """How far it has come, as its runner tells."""
    return {} if job.more.progress is None else _object(job.more.progress)


def _object(value: bytes) -> dict[str, Any]:
    found = msgspec.json.decode(value)
    return found if isinstance(found, dict) else {}
