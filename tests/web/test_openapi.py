"""The document that tells programs what the server offers, and the page that shows it to people."""

import re
from typing import Any, cast

import msgspec
import pytest

from jobengine.web.openapi.swagger import CONTENT_TYPES
from jobengine.web.v1.answers import JobOfV1
from tests.support.connection import Connection
from tests.support.openapi import routes
from tests.support.service import Service

FOREIGN = re.compile(rb"""(?:src|href|url|action)\s*[=:(]\s*["']?(?:https?:)?//""", re.IGNORECASE)


@pytest.fixture
def document(connection: Connection) -> dict[str, Any]:
    answer = connection.ask("GET", "/openapi.json")
    assert (answer.status, answer.header("Content-Type")) == (200, "application/json")
    return cast(dict[str, Any], answer.json())


def references(value: object) -> set[str]:
    """All that a part of the document points to."""
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(each) for each in value.values()))
    return set().union(*(references(each) for each in value)) if isinstance(value, list) else set()


def test_every_route_stands_in_the_document_and_no_other(document: dict[str, Any]) -> None:
    told = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert told == {(route.method, route.path) for route in routes()}


def test_a_route_that_says_nothing_of_itself_is_not_offered() -> None:
    assert [route.path for route in routes() if route.description is None] == []


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does(document: dict[str, Any]) -> None:
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert all(operation["summary"] for operation in operations)


def test_every_variable_of_a_path_is_a_parameter(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        for operation in item.values():
            named = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path)), path


def test_every_component_is_there_and_is_used(document: dict[str, Any]) -> None:
    kinds = ("schemas", "responses")
    there = {f"#/components/{kind}/{name}" for kind in kinds for name in document["components"][kind]}
    assert references(document) == there


def test_a_refusal_is_a_problem_with_its_codes(document: dict[str, Any]) -> None:
    reference = document["paths"]["/api/v1/jobs/{uid}"]["get"]["responses"]["404"]["$ref"]
    refused = document["components"]["responses"][reference.rpartition("/")[2]]
    schema = refused["content"]["application/problem+json"]["schema"]
    assert schema["allOf"][0] == {"$ref": "#/components/schemas/Refused"}
    assert schema["allOf"][1]["properties"]["code"]["enum"] == ["not_found"]


def test_fields_that_exclude_one_another_do_so_in_the_document_too(document: dict[str, Any]) -> None:
    new_job = document["components"]["schemas"]["NewJob"]
    excluded = [each["not"]["required"] for each in new_job["allOf"] if "not" in each]
    assert excluded == [["not_before", "delay"]]


def test_a_job_of_v1_is_as_the_document_has_it(owner: Service) -> None:
    owner.create()
    job = msgspec.json.decode(owner.ask("GET", "/api/v1/jobs/next").body, type=JobOfV1, strict=True)
    assert job.state == "inprogress"


def test_the_page_loads_nothing_from_elsewhere(connection: Connection) -> None:
    page = connection.ask("GET", "/docs")
    assert (page.status, page.header("Content-Type")) == (200, "text/html; charset=utf-8")
    loaded = re.findall(rb'(?:src|href)="([^"]+)"', page.body)
    assert {name.decode().removeprefix("docs/") for name in loaded} == set(CONTENT_TYPES)
    start = connection.ask("GET", "/docs/start.js").body
    assert b'url: "openapi.json"' in start
    assert b"validatorUrl: null" in start  # else it would ask its makers' server
    style = connection.ask("GET", "/docs/swagger-ui.css").body
    assert [text for text in (page.body, start, style) if FOREIGN.search(text)] == []


def test_a_browser_would_not_let_the_page_load_from_elsewhere_either(connection: Connection) -> None:
    policy = str(connection.ask("GET", "/docs").header("Content-Security-Policy"))
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split(";")}
    assert rules["default-src"] == ["'none'"]
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == ["'self'"]
    assert rules["frame-ancestors"] == ["'none'"]
    assert "http" not in policy


@pytest.mark.parametrize("name", CONTENT_TYPES)
def test_what_the_page_loads_is_there(connection: Connection, name: str) -> None:
    answer = connection.ask("GET", f"/docs/{name}")
    assert (answer.status, answer.header("Content-Type")) == (200, CONTENT_TYPES[name].decode())
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.body


@pytest.mark.parametrize("name", ["swagger-ui.js", "..%2fLICENSE", "%2e%2e", "LICENSE", "x"])
def test_no_other_file_is_there(connection: Connection, name: str) -> None:
    assert connection.ask("GET", f"/docs/{name}").status == 404


def test_the_page_works_behind_the_guard(connection: Connection) -> None:
    host, port = connection.socket.getpeername()
    assert connection.ask("GET", "/openapi.json", {"Origin": f"http://{host}:{port}"}).status == 200
    assert connection.ask("GET", "/docs", {"Origin": "http://elsewhere.example"}).status == 403
