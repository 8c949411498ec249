"""One route as the document has it."""

import re
from collections.abc import Callable, Sequence
from http import HTTPStatus
from itertools import groupby
from typing import Any, Final, Literal

import msgspec
from msgspec.structs import fields

from jobengine.access import Right
from jobengine.access.rights import RULES
from jobengine.errors import Problem
from jobengine.web.openapi.contradictions import CONTRADICTIONS
from jobengine.web.openapi.parameters import HEADERS, QUERY, REQUIRED
from jobengine.web.openapi.refusals import Refusal, refusals
from jobengine.web.openapi.swagger import CONTENT_TYPES
from jobengine.web.routes import Description, Route, Text
from jobengine.web.v2.values import QueueName

SERVICE: Final = "service"  # the name of the security scheme

Json = dict[str, Any]
SchemaOf = Callable[[Any], Json]

_VARIABLE: Final = re.compile(r"{(\w+)}")
VARIABLES: Final[dict[str, tuple[Any, str]]] = {
    "file": (Literal[tuple(CONTENT_TYPES)], "What is wanted."),
    "queue": (QueueName, "The queue."),
    "uid": (str, "The job."),
}


class Refused(msgspec.Struct, omit_defaults=True):
    """Why a request was refused (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str  # for people
    code: str  # for programs
    request_id: str  # stands in the log, too
    errors: list[Problem] = []


class Told:
    """A route, told with the schemas of its types."""

    def __init__(self, route: Route, schema_of: SchemaOf, shared: Json) -> None:
        self._route = route
        self._description = route.description or Description(summary="")
        self._schema_of = schema_of
        self._shared = shared  # refusals, which many routes have in common

    def operation(self) -> Json:
        """What stands under its method."""
        route = self._route
        told: Json = {
            "operationId": "_".join((tag(route), *_noun(route), route.answer.__name__)),
            "summary": self._description.summary,
            "description": _right(route),
            "tags": [tag(route)],
            "security": [] if route.action is None else [{SERVICE: []}],
            "parameters": [*self._variables(), *self._query(), *self._headers()],
            "responses": self._answers(),
        }
        if self._description.octets:
            octets = {"schema": {"type": "string", "format": "binary"}}
            told["requestBody"] = {"required": True, "content": {"application/octet-stream": octets}}
        if self._description.body is not None:
            told["requestBody"] = self._body(self._description.body)
        return told

    def _variables(self) -> list[Json]:
        return [
            self._parameter(name, "path", *VARIABLES[name], is_required=True)
            for name in _VARIABLE.findall(self._route.path)
        ]

    def _query(self) -> list[Json]:
        if self._description.query is None:
            return []
        return [
            self._parameter(
                field.encode_name, "query", field.type, QUERY[field.encode_name], is_required=field.required
            )
            for field in fields(self._description.query)
        ]

    def _headers(self) -> list[Json]:
        return [
            self._parameter(name, "header", *HEADERS[name], is_required=name in REQUIRED)
            for name in self._description.headers
        ]

    def _parameter(self, name: str, place: str, kind: Any, description: str, *, is_required: bool) -> Json:
        return {
            "name": name,
            "in": place,
            "required": is_required,
            "description": description,
            "schema": self._schema_of(kind),
        }

    def _body(self, kind: Any) -> Json:
        is_empty_enough = _is_struct(kind) and not any(field.required for field in fields(kind))
        is_required = not is_empty_enough or kind in CONTRADICTIONS
        return {"required": is_required, "content": {"application/json": {"schema": self._schema_of(kind)}}}

    def _answers(self) -> Json:
        answers = {
            str(status): self._answer(status, kind) for status, kind in self._description.answers.items()
        }
        every = refusals(self._route, self._description)
        for status, some in groupby(every, key=lambda refusal: refusal[0]):
            answers[str(status)] = self._refused(status, [refusal for _, refusal in some])
        return answers

    def _answer(self, status: int, kind: Any) -> Json:
        told: Json = {"description": HTTPStatus(status).phrase}
        if isinstance(kind, Text):
            types = (kind.content_type, *kind.others)
            told["content"] = {each: {"schema": {"type": "string"}} for each in types}
        elif kind is not None:
            told["content"] = {"application/json": {"schema": self._schema_of(kind)}}
        return told

    def _refused(self, status: int, some: Sequence[Refusal]) -> Json:
        name = "_".join((str(status), *(refusal.code for refusal in some)))
        if name not in self._shared:
            self._shared[name] = _refusal(status, some, self._schema_of(Refused))
        return {"$ref": f"#/components/responses/{name}"}


def _refusal(status: int, some: Sequence[Refusal], schema: Json) -> Json:
    codes = {"code": {"enum": [refusal.code for refusal in some]}, "status": {"const": status}}
    told: Json = {
        "description": "\n\n".join(f"`{refusal.code}`: {_first_line(refusal)}" for refusal in some),
        "content": {"application/problem+json": {"schema": {"allOf": [schema, {"properties": codes}]}}},
    }
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        told["headers"] = {"Retry-After": {"required": True, "schema": {"type": "integer"}}}
    return told


def tag(route: Route) -> str:
    """Under which heading it stands: a version of the API, or what is outside of them."""
    return route.path.split("/")[2] if route.path.startswith("/api/") else "server"


def _noun(route: Route) -> tuple[str, ...]:
    """What it is about: without it, two verbs would be one name."""
    if "/jobs" in route.path:
        return ("job",)
    if route.path.endswith("/workers"):
        return ("worker",)
    return ("queue",) if "{queue}" in route.path else ()


def _right(route: Route) -> str:
    if route.description is not None and route.description.rights:
        return route.description.rights
    if route.action is None:
        return "For everybody, also without a name."
    if RULES[route.action] == frozenset(Right):
        return "Needs any right on the queue."
    return f"Needs the right `{'` or `'.join(sorted(RULES[route.action]))}`."


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _first_line(described: type) -> str:
    return (described.__doc__ or "").partition("\n")[0]
