"""The OpenAPI document, without a server."""

import asyncio
import json
from typing import Any, cast

from jobengine.access import Access
from jobengine.engine.interface import Engine
from jobengine.settings.schema import Settings
from jobengine.web.metrics import Metrics
from jobengine.web.request import Request
from jobengine.web.routes import Route
from jobengine.web.server import WebServer


def routes() -> list[Route]:
    """All that a server offers."""
    web = WebServer(Settings(), Access(), Metrics(), host="127.0.0.1", port=0)
    web.serve(cast(Engine, None))  # nothing is asked of it
    return list(web._application._routes.values())


def document() -> dict[str, Any]:
    """What stands at /openapi.json."""
    (route,) = (route for route in routes() if route.path == "/openapi.json")
    reply = asyncio.run(cast(Any, route.answer(cast(Request, None), {})))
    return cast(dict[str, Any], json.loads(reply.body))
