"""Finds the route of a plain path at once: aiohttp's router tries one pattern after the other."""

import re
from typing import Final

from jobengine.web.routes import Route, Variables

_SPECIAL: Final = re.compile(r"[^A-Za-z0-9/._-]", re.ASCII)  # escapes, a query, …
_NO_VARIABLES: Final[Variables] = {}


class _Place:
    """Where a path has come to, part by part."""

    __slots__ = ("inner", "routes", "variable")

    def __init__(self) -> None:
        self.inner: dict[str, _Place] = {}  # by the next part
        self.variable: _Place | None = None  # of any other part
        self.routes: dict[str, tuple[Route, list[str]]] = {}  # by method; and the names of the variables


class Paths:
    """A tree of all paths."""

    def __init__(self) -> None:
        self._root = _Place()
        self._whole: dict[tuple[str, str], Route] = {}  # those whose path holds no variable

    def add(self, route: Route) -> None:
        """Serve this one, too."""
        place = self._root
        names: list[str] = []
        for part in route.path[1:].split("/"):
            if part.startswith("{"):
                names.append(part[1:-1])
                place.variable = place.variable or _Place()
                place = place.variable
            else:
                place = place.inner.setdefault(part, _Place())
        place.routes[route.method] = route, names
        if not names:
            self._whole[route.method, route.path] = route

    def find(self, method: str, target: str) -> tuple[Route, Variables] | None:
        """The route and the variables of its path; None when it takes a closer look."""
        whole = self._whole.get((method, target))
        if whole is not None:
            return whole, _NO_VARIABLES
        if _SPECIAL.search(target) or not target.startswith("/"):
            return None
        place, values = self._root, []
        for part in target[1:].split("/"):
            following = place.inner.get(part)
            if following is None and part:
                following = place.variable
                values.append(part)
            if following is None:
                return None
            place = following
        found = place.routes.get(method)
        if found is None:
            return None
        route, names = found
        return route, dict(zip(names, values, strict=True))
