"""What a door offers: its routes, each with the rule that lets callers in."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import force_setattr

from jobengine.access import Action
from jobengine.web.problems import STATUSES, Statuses
from jobengine.web.reply import Reply
from jobengine.web.request import Request

Variables = Mapping[str, str]  # of the path
Answer = Callable[[Request, Variables], Awaitable[Reply]]


class Text(Struct, frozen=True):
    """A body that is not JSON."""

    content_type: str
    others: tuple[str, ...] = ()  # that it may have instead


class Description(Struct, frozen=True):
    """What a route takes and answers, for those who read about it: people and programs."""

    summary: str
    body: Any = None  # its type; None: none
    answers: Mapping[int, Any] = {}  # status → the type of its body, or Text; None: none
    octets: bool = False  # it takes a body that is no JSON
    query: type[Struct] | None = None  # what may stand behind the question mark
    headers: tuple[str, ...] = ()  # that mean something here, besides X-Name
    rights: str = ""  # in words, where they are not those of one queue


class Route(Struct, frozen=True, eq=False):
    """One method of one path."""

    method: str
    path: str
    action: Action | None  # None: for everybody, also without a name
    answer: Answer
    kind: str = ""  # what the metrics call it: its action, or the last word of its path
    statuses: Statuses = STATUSES  # of what it refuses
    description: Description | None = None

    def __post_init__(self) -> None:
        if not self.kind:
            force_setattr(self, "kind", str(self.action or self.path.rpartition("/")[2]))
