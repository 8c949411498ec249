"""The small values that bodies of API v2 are made of."""

from typing import Annotated, Any, Final, Literal, Self

from msgspec import Meta, Struct, field

from jobengine.model.backoff import HOUR_MS, Backoff
from jobengine.model.extra import UniqueFor
from jobengine.web.v2.durations import Delay, Window

UUID_PATTERN: Final = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"

Priority = Annotated[int, Meta(ge=1, le=100)]
Attempts = Annotated[int, Meta(ge=1, le=1000)]
Tag = Annotated[str, Meta(min_length=1, max_length=64)]
Tags = Annotated[list[Tag], Meta(max_length=16)]
UniqueKey = Annotated[str, Meta(min_length=1, max_length=200)]
Worker = Annotated[str, Meta(min_length=1, max_length=200)]
Uid = Annotated[str, Meta(pattern=UUID_PATTERN, description="a UUID (RFC 9562)")]
LeaseId = Annotated[
    str, Meta(pattern="^[0-9a-f]{16}$", description="the lease id of a claimed job: 16 lower-case hex digits")
]
QueueName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        description="a queue's name: 1 to 64 letters, digits, dots, dashes and underscores",
    ),
]
StateName = Literal["queued", "inprogress", "complete", "failed"]
StateNames = Annotated[tuple[StateName, ...], Meta(min_length=1)]  # an empty list is no "all of them"


class Growing(Struct, frozen=True, forbid_unknown_fields=True):
    """Delays that grow from one to another, each this factor of the one before."""

    first: Delay = field(name="from", default_factory=lambda: Delay(1000))
    factor: Annotated[float, Meta(ge=1, le=100)] = 2.0
    most: Delay = field(name="to", default_factory=lambda: Delay(HOUR_MS))
    jitter: Annotated[float, Meta(ge=0, le=1)] = 0.2


BackoffBody = Growing | Annotated[list[Delay], Meta(min_length=1, max_length=100)]


def backoff_of(body: BackoffBody | None) -> Backoff | None:
    """As the model has it."""
    if body is None:
        return None
    if isinstance(body, Growing):
        return Backoff(int(body.first), body.factor, int(body.most), body.jitter)
    return Backoff(delays=tuple(map(int, body)))


class UniqueSpan:
    """How long a unique key keeps others out: while queued, while active, or for a window."""

    __slots__ = ("lasts", "window")

    def __init__(self, lasts: UniqueFor, window: int = 0) -> None:
        self.lasts = lasts
        self.window = window  # ms

    @classmethod
    def parse(cls, value: object) -> Self:
        """Raises ValueError."""
        if value in ("queued", "active"):
            return cls(UniqueFor(value))
        try:
            return cls(UniqueFor.WINDOW, int(Window.parse(value)))
        except ValueError as error:
            raise ValueError(f"is neither queued nor active; a duration {error}") from None

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """As JSON Schema says it."""
        return {"anyOf": [{"enum": ["queued", "active"]}, Window.schema()]}
