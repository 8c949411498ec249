"""The document: operations in, OpenAPI 3.1 out."""

import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from itertools import groupby
from typing import Any, Final

import msgspec

from jobengine.errors import JobEngineError, Problem
from jobengine.web.openapi.operation import Answer, Operation, Parameter

SERVICE: Final = "service"  # the name of the security scheme
_REFERENCE: Final = "#/components/schemas/{name}"
_VARIABLE: Final = re.compile(r"{(\w+)}")

Json = dict[str, Any]


class Refused(msgspec.Struct, omit_defaults=True):
    """Why a request was refused (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str  # for people
    code: str  # for programs
    request_id: str  # stands in the log, too
    errors: list[Problem] = []


def document(operations: Sequence[Operation], *, version: str) -> Json:
    """All of them, with the schemas of what they take and answer."""
    types = _types(operations)
    schemas, components = msgspec.json.schema_components(
        types, schema_hook=_schema_of_its_own, ref_template=_REFERENCE
    )
    schema_of = dict(zip(map(repr, types), schemas, strict=True))
    paths: Json = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _Told(operation, schema_of).all()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "JobEngine",
            "version": version,
            "description": "A persistent, encrypted, multi-queue job broker.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in operations)],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                SERVICE: {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Name",
                    "description": "The service that asks.",
                }
            },
        },
    }


def _schema_of_its_own(kind: Any) -> Json:
    """Of a type that knows how it is written."""
    schema: Json = kind.schema()
    return schema


def _types(operations: Iterable[Operation]) -> list[Any]:
    """Each type once, in the order in which they come up."""
    types = [Refused]
    for operation in operations:
        types += [operation.body, *(answer.type for answer in operation.answers)]
        types += [parameter.type for parameter in operation.parameters]
    return list({repr(each): each for each in types if each is not None}.values())


class _Told:
    """One operation as the document has it."""

    def __init__(self, operation: Operation, schema_of: dict[str, Json]) -> None:
        self._operation = operation
        self._schema_of = schema_of

    def all(self) -> Json:
        """What stands under its method."""
        operation = self._operation
        told: Json = {
            "operationId": operation.name,
            "summary": operation.summary,
            "tags": [operation.tag],
            "security": [] if operation.is_for_all else [{SERVICE: []}],
            "parameters": [self._parameter(each) for each in operation.parameters],
            "responses": self._answers(),
        }
        if operation.body is not None:
            told["requestBody"] = {
                "required": operation.body_is_required,
                "content": {"application/json": {"schema": self._schema(operation.body)}},
            }
        return told

    def _parameter(self, parameter: Parameter) -> Json:
        return {
            "name": parameter.name,
            "in": parameter.place,
            "required": parameter.is_required or parameter.place == "path",
            "description": parameter.description,
            "schema": self._schema(parameter.type),
        }

    def _answers(self) -> Json:
        answers = {str(answer.status): self._answer(answer) for answer in self._operation.answers}
        refusals = sorted(self._operation.refusals, key=lambda refusal: (refusal[0], refusal[1].code))
        for status, some in groupby(refusals, key=lambda refusal: refusal[0]):
            answers[str(status)] = self._refused(status, [refusal for _, refusal in some])
        return answers

    def _answer(self, answer: Answer) -> Json:
        told: Json = {"description": answer.description}
        if answer.headers:
            told["headers"] = {name: {"schema": {"type": "string"}} for name in answer.headers}
        if answer.type is not None:
            told["content"] = {answer.content_type: {"schema": self._schema(answer.type)}}
        return told

    def _refused(self, status: int, refusals: Sequence[type[JobEngineError]]) -> Json:
        lines = [f"`{refusal.code}`: {_first_line(refusal)}" for refusal in refusals]
        codes = {"code": {"enum": [refusal.code for refusal in refusals]}, "status": {"const": status}}
        told: Json = {
            "description": "\n\n".join(lines) or HTTPStatus(status).phrase,
            "content": {
                "application/problem+json": {
                    "schema": {"allOf": [self._schema(Refused), {"properties": codes}]}
                }
            },
        }
        if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
            told["headers"] = {"Retry-After": {"required": True, "schema": {"type": "integer"}}}
        return told

    def _schema(self, wanted: Any) -> Json:
        return self._schema_of[repr(wanted)]


def _first_line(described: type) -> str:
    return (described.__doc__ or "").partition("\n")[0]


def variables(path: str) -> list[str]:
    """The names that stand in a path."""
    return _VARIABLE.findall(path)
