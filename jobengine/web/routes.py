"""What a door offers: its routes, each with the rule that lets callers in."""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp.web import BaseRequest
from msgspec import Struct

from jobengine.access import Action
from jobengine.web.reply import Reply

Variables = Mapping[str, str]  # of the path


class Route(Struct, frozen=True):
    """One method of one path."""

    method: str
    path: str
    action: Action | None  # None: for everybody, also without a name
    answer: Callable[[BaseRequest, Variables], Awaitable[Reply]]

    @property
    def kind(self) -> str:
        """What the metrics call it."""
        return self.action or self.path.rpartition("/")[2]
