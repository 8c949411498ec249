"""The quick way to a route finds what aiohttp's router finds, or nothing."""

from typing import cast

import pytest

from jobengine.access import Access
from jobengine.engine.interface import Engine
from jobengine.settings.schema import Settings
from jobengine.web.metrics import Metrics
from jobengine.web.paths import Paths
from jobengine.web.routes import Route
from jobengine.web.server import WebServer


def routes() -> list[Route]:
    web = WebServer(Settings(), Access(), Metrics(), host="127.0.0.1", port=0)
    web.serve(cast(Engine, None))
    return list(web._application._routes.values())


@pytest.fixture(scope="module")
def paths() -> Paths:
    made = Paths()
    for route in routes():
        made.add(route)
    return made


@pytest.mark.parametrize("route", routes(), ids=lambda route: f"{route.method} {route.path}")
def test_each_route_is_found_with_its_variables(paths: Paths, route: Route) -> None:
    found = paths.find(route.method, route.path.replace("{", "a-").replace("}", ".b"))
    assert found is not None
    assert (found[0].method, found[0].path) == (route.method, route.path)
    assert all(value == f"a-{name}.b" for name, value in found[1].items())


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "*",
        "/api/v2/queues/",
        "/api/v2/queues//jobs",
        "/api/v2/queues/a%2Fb/jobs",
        "/api/v2/queues/a/jobs?limit=1",
        "/api/v2/queues/a/jobs/b/c/d",
        "http://a/api/v2/queues",
        "/api/v2/queues/{queue}/jobs",
    ],
)
def test_what_needs_a_closer_look_is_not_found_here(paths: Paths, target: str) -> None:
    assert paths.find("GET", target) is None


def test_another_method_is_not_found_here(paths: Paths) -> None:
    assert paths.find("BREW", "/api/v2/queues") is None
