"""The reference of API v2, made of the OpenAPI document."""

import json
from collections.abc import Iterator
from typing import Any, Final

from tests.support.openapi import document

Json = dict[str, Any]

BASE: Final = "/api/v2"


def operations_reference() -> str:
    """Every operation of API v2."""
    operations = _operations(document())
    refusals = [_refusals(operation) for operation in operations.values()]
    of_all = [refusal for refusal in refusals[0] if all(refusal in others for others in refusals)]
    lines = [f"Each of them can be refused with {', '.join(of_all)}.\n"]
    for name, operation in operations.items():
        lines += _operation(name, operation, of_all)
    return "\n".join(lines)


def types_reference() -> str:
    """Every type that these take and answer."""
    told = document()
    schemas = told["components"]["schemas"]
    found: dict[str, None] = {}
    _collect(list(_operations(told).values()), schemas, found)
    return "\n".join("\n".join(_type(name, schemas[name])) for name in found)


def _operations(told: Json) -> dict[str, Json]:
    """Those of API v2, each with its own answers in place of those that it shares."""
    shared = {
        f"#/components/responses/{name}": each for name, each in told["components"]["responses"].items()
    }
    return {
        f"{method.upper()} {path.removeprefix(BASE)}": {
            **operation,
            "responses": {
                status: shared.get(answer.get("$ref"), answer)
                for status, answer in operation["responses"].items()
            },
        }
        for path, item in told["paths"].items()
        if path.startswith(BASE)
        for method, operation in item.items()
    }


def _collect(part: Any, schemas: Json, found: dict[str, None]) -> None:
    """The names of all types to which a part of the document leads."""
    if isinstance(part, dict):
        name = _name(part)
        if name is not None and name not in found:
            found[name] = None
            _collect(schemas[name], schemas, found)
        for inner in part.values():
            _collect(inner, schemas, found)
    elif isinstance(part, list):
        for inner in part:
            _collect(inner, schemas, found)


def _operation(name: str, operation: Json, of_all: list[str]) -> Iterator[str]:
    yield f"### `{name}`\n"
    yield f"{operation['summary']}. {operation['description']}\n"
    parameters = [each for each in operation["parameters"] if each["in"] != "path"]
    if parameters:
        yield "| Parameter | Where | Type | |\n| --- | --- | --- | --- |"
        for each in parameters:
            yield f"| `{each['name']}` | {each['in']} | {words(each['schema'])} | {each['description']} |"
        yield ""
    if "requestBody" in operation:
        body = operation["requestBody"]
        yield f"Body: {words(_schema(body))}{'' if body['required'] else '; it may be left out'}.\n"
    yield f"Answers: {'; '.join(_answers(operation))}.\n"
    own = [refusal for refusal in _refusals(operation) if refusal not in of_all]
    if own:
        yield f"Refused with {', '.join(own)}.\n"


def _answers(operation: Json) -> Iterator[str]:
    """What comes back when all went well."""
    for status, answer in operation["responses"].items():
        if int(status) < 400:
            yield f"{status} {_body(answer)}"


def _body(answer: Json) -> str:
    if "content" not in answer:
        return "without a body"
    written = words(_schema(answer))
    return " or ".join(f"`{kind}`" for kind in answer["content"]) if written == "string" else written


def _refusals(operation: Json) -> list[str]:
    """The codes, each with its status."""
    return [
        f"`{code}` ({status})"
        for status, answer in operation["responses"].items()
        if int(status) >= 400
        for code in _schema(answer)["allOf"][1]["properties"]["code"]["enum"]
    ]


def _schema(part: Json) -> Json:
    content = next(iter(part["content"].values()))  # all are of one type, however they are written
    schema: Json = content["schema"]
    return schema


def _type(name: str, schema: Json) -> Iterator[str]:
    yield f"### {name}\n"
    yield f"{schema['description']}\n" if "description" in schema else ""
    if not schema.get("properties"):
        yield f"{words(schema)}\n"
        return
    yield "| Field | Type | Default |\n| --- | --- | --- |"
    for field, kind in schema["properties"].items():
        default = "needed" if field in schema.get("required", ()) else f"{_default(kind)}"
        yield f"| `{field}` | {words(kind)} | {default} |"
    yield ""


def _default(schema: Json) -> str:
    value = schema.get("default")
    return "" if value in (None, [], {}, "") else f"`{json.dumps(value)}`"


def words(schema: Json) -> str:
    """A type in a few words."""
    name = _name(schema)
    if name is not None:
        return f"[{name}](#{name.lower()})"
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    if "anyOf" in schema and str(schema.get("description")).startswith("seconds, or a text"):
        return f"duration, {schema['description'].rpartition('; ')[2]}"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(words(each) for each in schema["anyOf"]))
    if schema.get("type") == "array":
        return f"list of {words(schema.get('items', {}))}{_range(schema, 'minItems', 'maxItems')}"
    return _plain(schema)


def _plain(schema: Json) -> str:
    kind = schema.get("format", schema.get("type", "any JSON"))
    limits = _range(schema, "minimum", "maximum") or _range(schema, "minLength", "maxLength")
    return f"{kind}{limits}"


def _range(schema: Json, least: str, most: str) -> str:
    if most in schema:
        return f", {schema.get(least, 0)} to {schema[most]}"
    return f", at least {schema[least]}" if least in schema else ""


def _name(schema: Json) -> str | None:
    reference = schema.get("$ref")
    return reference.rpartition("/")[2] if isinstance(reference, str) else None
