"""The bodies of API v1: bytes in, typed values out."""

from typing import Annotated, Final, Literal, TypeVar, get_args

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from jobengine.errors import Problem, ValidationFailed
from jobengine.web.strict_json import check_json

TEN_YEARS_SECONDS: Final = 10 * 365 * 24 * 60 * 60
LATEST_SECOND: Final = 253_402_300_799  # the last one of the year 9999

Status = Literal["queued", "inprogress", "complete", "failed"]
Priority = Annotated[int, Meta(ge=1, le=100)]
ValidFor = Annotated[int, Meta(ge=1, le=TEN_YEARS_SECONDS)]
ObjectOfJson = Annotated[Raw, Meta(extra_json_schema={"type": "object"})]
TimeoutTime = Annotated[int, Meta(ge=0, le=LATEST_SECOND)]


class CreateBody(Struct, frozen=True):
    """What CreateJob needs. Unknown fields are ignored."""

    content: ObjectOfJson
    valid_for: ValidFor  # seconds
    priority: Priority


class UpdateBody(Struct, frozen=True):
    """What UpdateJob may name, one of them at least. Unknown fields are ignored."""

    status: Status | UnsetType = UNSET
    content: ObjectOfJson | UnsetType = UNSET
    timeout_time: TimeoutTime | UnsetType = UNSET  # seconds since the Unix epoch
    priority: Priority | UnsetType = UNSET


BodyT = TypeVar("BodyT", CreateBody, UpdateBody)

_STATUSES: Final = frozenset(msgspec.json.encode(status) for status in get_args(Status))
_create = msgspec.json.Decoder(CreateBody)
_update = msgspec.json.Decoder(UpdateBody)


def read_create(body: bytes) -> CreateBody:
    """Raises InvalidJson, ValidationFailed with all that is wrong."""
    return _read(body, _create)


def read_update(body: bytes) -> UpdateBody:
    """Raises InvalidJson, ValidationFailed with all that is wrong."""
    update = _read(body, _update)
    if update == UpdateBody():
        named = ", ".join(UpdateBody.__struct_fields__)
        raise ValidationFailed(f"an update names at least one of {named}")
    return update


def _read(body: bytes, decoder: msgspec.json.Decoder[BodyT]) -> BodyT:
    check_json(body)
    try:
        decoded = decoder.decode(body)
    except msgspec.ValidationError:
        raise _all_that_is_wrong(body, decoder.type) from None
    if decoded.content is not UNSET and not _is_object(decoded.content):
        raise _all_that_is_wrong(body, decoder.type)
    return decoded


def _all_that_is_wrong(body: bytes, body_type: type[Struct]) -> ValidationFailed:
    """Looks a second time, slowly, at each field by itself."""
    try:
        values = msgspec.json.decode(body, type=dict[str, Raw])
    except msgspec.ValidationError:
        return ValidationFailed("the body must be a JSON object")
    problems = []
    for field in msgspec.structs.fields(body_type):
        detail = _what_is_wrong(field, values.get(field.name))
        if detail is not None:
            problems.append(Problem(f"/{field.name}", detail))
    details = "; ".join(f"{problem.pointer[1:]}: {problem.detail}" for problem in problems)
    return ValidationFailed(details, errors=tuple(problems))


def _what_is_wrong(field: msgspec.structs.FieldInfo, value: Raw | None) -> str | None:
    if value is None:
        return "is missing" if field.required else None
    if field.name == "content":
        return None if _is_object(value) else "must be a JSON object"
    if field.name == "status" and bytes(value) not in _STATUSES:
        return f"must be one of {', '.join(get_args(Status))}"  # msgspec would repeat what was sent
    try:
        msgspec.json.decode(value, type=field.type)
    except msgspec.ValidationError as error:
        return str(error)
    return None


def _is_object(value: Raw | UnsetType) -> bool:
    return isinstance(value, Raw) and bytes(value).startswith(b"{")
