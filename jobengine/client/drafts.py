"""Jobs to be made."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import uuid4

from msgspec import Struct, field

from jobengine.client import values
from jobengine.client.values import Backoff, Duration


def new_uid() -> str:
    """One that no other job has."""
    return str(uuid4())


class Draft(Struct, frozen=True):
    """A job to be made. Its uid is chosen here: to send it twice makes one job."""

    content: Any  # whatever JSON can say
    priority: int = 50  # 1 to 100, 100 the most urgent
    valid_for: Duration | None = None  # that it may wait in the queue; None: for ever
    delay: Duration | None = None  # it is not handed out before this has passed
    not_before: datetime | None = None  # it is not handed out before
    max_attempts: int | None = None  # None: what the queue says
    backoff: Backoff | None = None
    timeout: Duration | None = None  # of one attempt
    unique_key: str | None = None  # no other job of the queue may have it meanwhile
    unique_for: Literal["queued", "active"] | Duration | None = None
    on_duplicate: Literal["keep", "replace"] | None = None
    tags: Sequence[str] = ()
    uid: str = field(default_factory=new_uid)

    def wire(self) -> dict[str, object]:
        """As API v2 takes it. Raises ValueError for a time without its time zone."""
        optional = values.said(
            valid_for=_seconds(self.valid_for),
            delay=_seconds(self.delay),
            not_before=None if self.not_before is None else values.time(self.not_before),
            max_attempts=self.max_attempts,
            backoff=None if self.backoff is None else values.backoff(self.backoff),
            timeout=_seconds(self.timeout),
            unique_key=self.unique_key,
            unique_for=self.unique_for if isinstance(self.unique_for, str) else _seconds(self.unique_for),
            on_duplicate=self.on_duplicate,
            tags=self.tags or None,
        )
        return {"uid": self.uid, "content": self.content, "priority": self.priority, **optional}


def _seconds(duration: Duration | None) -> float | None:
    return None if duration is None else values.seconds(duration)
