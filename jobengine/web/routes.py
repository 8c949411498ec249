"""What a door offers: its routes, each with the rule that lets callers in."""

from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct
from msgspec.structs import force_setattr

from jobengine.access import Action
from jobengine.web.reply import Reply
from jobengine.web.request import Request

Variables = Mapping[str, str]  # of the path


class Route(Struct, frozen=True):
    """One method of one path."""

    method: str
    path: str
    action: Action | None  # None: for everybody, also without a name
    answer: Callable[[Request, Variables], Awaitable[Reply]]
    kind: str = ""  # what the metrics call it: its action, or the last word of its path

    def __post_init__(self) -> None:
        if not self.kind:
            force_setattr(self, "kind", str(self.action or self.path.rpartition("/")[2]))
