"""With what a request can be refused: the sum of what its route takes, and of what it does."""

from collections.abc import Iterator, Mapping
from typing import Final

from jobengine import errors
from jobengine.access import Action
from jobengine.errors import JobEngineError
from jobengine.web.routes import Description, Route

Refusal = type[JobEngineError]

EVERY: Final[tuple[Refusal, ...]] = (
    errors.BadRequest,
    errors.HeadersTooLarge,
    errors.HostRefused,
    errors.OriginRefused,
    errors.Unavailable,
    errors.UriTooLong,
)
OF_SERVICES: Final[tuple[Refusal, ...]] = (errors.DuplicateHeader, errors.Forbidden, errors.HeaderMissing)
OF_QUEUES: Final[tuple[Refusal, ...]] = (errors.NotFound, errors.OutcomeUnknown)
WITH_BODY: Final[tuple[Refusal, ...]] = (
    errors.BodyTimeout,
    errors.BodyTooLarge,
    errors.InvalidJson,
    errors.UnsupportedMediaType,
    errors.ValidationFailed,
)
WITH_HEADER: Final[Mapping[str, tuple[Refusal, ...]]] = {
    "Idempotency-Key": (errors.KeyReused, errors.ValidationFailed),
    "If-Match": (errors.VersionChanged, errors.ValidationFailed),
    "Last-Event-ID": (errors.ValidationFailed,),
    "Prefer": (errors.ValidationFailed,),
    "X-Lease": (errors.ValidationFailed,),
    "X-Status-Filter": (errors.ValidationFailed,),
}
_STATE: Final[tuple[Refusal, ...]] = (errors.BadState, errors.StorageFull)
WITH_ACTION: Final[Mapping[Action, tuple[Refusal, ...]]] = {
    Action.CREATE: (*_STATE, errors.QueueFull),
    Action.CLAIM: (errors.StorageFull,),
    Action.UPDATE: _STATE,
    Action.DELETE: _STATE,
    Action.SETTLE: (*_STATE, errors.LeaseLost),
    Action.AMEND: _STATE,
    Action.CONTROL: (*_STATE, errors.QueueFull),
    Action.STEER: _STATE,
    Action.PURGE: _STATE,
    Action.REDRIVE: (*_STATE, errors.QueueFull),
    Action.CONFIGURE: _STATE,
}


def refusals(route: Route, description: Description) -> list[tuple[int, Refusal]]:
    """Each once, with its status, in the order of both."""
    found = {(int(route.statuses[refusal.code]), refusal) for refusal in _refusals(route, description)}
    return sorted(found, key=lambda each: (each[0], each[1].code))


def _refusals(route: Route, description: Description) -> Iterator[Refusal]:
    yield from EVERY
    if route.action is not None:
        yield from OF_SERVICES
        yield from WITH_ACTION.get(route.action, ())
        if route.action is not Action.SCRAPE:
            yield from OF_QUEUES
    if description.body is not None:
        yield from WITH_BODY
    if description.octets:
        yield from (errors.BodyTimeout, errors.BodyTooLarge, errors.LogFull, errors.UnsupportedMediaType)
    if description.query is not None:
        yield errors.ValidationFailed
    for header in description.headers:
        yield from WITH_HEADER.get(header, ())
    if "{file}" in route.path:
        yield errors.NoSuchPath
