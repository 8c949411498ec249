"""The document: routes in, OpenAPI 3.1 out."""

from collections.abc import Iterator, Sequence
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

import msgspec
from msgspec.structs import fields

from jobengine.web.openapi.contradictions import CONTRADICTIONS
from jobengine.web.openapi.parameters import HEADERS
from jobengine.web.openapi.told import SERVICE, VARIABLES, Json, Refused, Told, tag
from jobengine.web.routes import Description, Route, Text

_REFERENCE: Final = "#/components/schemas/{name}"


def document(routes: Sequence[Route], *, version: str) -> Json:
    """All of them, with the schemas of what they take and answer."""
    schemas = _Schemas([*_types(routes)])
    paths: Json = {}
    refusals: Json = {}
    for route in routes:
        told = Told(route, schemas.of, refusals).operation()
        paths.setdefault(route.path, {})[route.method.lower()] = told
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "JobEngine",
            "version": version,
            "summary": "A persistent, encrypted, multi-queue job broker.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(map(tag, routes))],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "responses": refusals,
            "securitySchemes": {SERVICE: _SERVICE},
        },
    }


_SERVICE: Final[Json] = {
    "type": "apiKey",
    "in": "header",
    "name": "X-Name",
    "description": "The service that asks, as the configuration names it.",
}


class _Schemas:
    """JSON Schemas of types: those with a name stand among the components, once."""

    def __init__(self, types: list[Any]) -> None:
        kinds = [each for kind in types for each in members(kind)]
        schemas, self.components = msgspec.json.schema_components(
            kinds, schema_hook=_of_its_own, ref_template=_REFERENCE
        )
        for kind, contradictions in CONTRADICTIONS.items():
            if kind.__name__ in self.components:
                self.components[kind.__name__] |= contradictions
        self._by_type = dict(zip(map(repr, kinds), schemas, strict=True))

    def of(self, kind: Any) -> Json:
        """The schema of one of the types."""
        several = [self._by_type[repr(each)] for each in members(kind)]
        return several[0] if len(several) == 1 else {"anyOf": several}


def members(kind: Any) -> tuple[Any, ...]:
    """Of a union, each type by itself: msgspec has none of several structs."""
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _of_its_own(kind: Any) -> Json:
    """The schema of a type that knows how it is written."""
    schema: Json = kind.schema()
    return schema


def _types(routes: Sequence[Route]) -> Iterator[Any]:
    """All that is taken and answered."""
    yield Refused
    yield from (kind for kind, _ in (*VARIABLES.values(), *HEADERS.values()))
    for route in routes:
        if route.description is not None:
            yield from _of_one(route.description)


def _of_one(description: Description) -> Iterator[Any]:
    if description.body is not None:
        yield description.body
    yield from (
        kind for kind in description.answers.values() if kind is not None and not isinstance(kind, Text)
    )
    if description.query is not None:
        yield from (field.type for field in fields(description.query))
