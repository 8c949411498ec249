"""New jobs as API v2 takes them."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Raw, Struct

from jobengine.model.commands import Draft, Options
from jobengine.web.v2.decoding import decoder
from jobengine.web.v2.durations import Delay, Time, Timeout, ValidFor
from jobengine.web.v2.values import (
    Attempts,
    BackoffBody,
    Priority,
    Tags,
    Uid,
    UniqueKey,
    UniqueSpan,
    backoff_of,
)

JOBS_MOST: Final = 1000
_ACTIVE: Final = UniqueSpan.parse("active")


class NewJob(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A job to be made. `content` is any JSON; all else may be left out."""

    content: Raw
    priority: Priority = 50
    valid_for: ValidFor | None = None
    not_before: Time | None = None
    delay: Delay | None = None
    max_attempts: Attempts | None = None
    backoff: BackoffBody | None = None
    timeout: Timeout | None = None
    unique_key: UniqueKey | None = None
    unique_for: UniqueSpan | None = None
    on_duplicate: Literal["keep", "replace"] = "keep"
    tags: Tags = []
    uid: Uid | None = None

    def __post_init__(self) -> None:
        """Raises ValueError when two fields contradict each other."""
        if self.not_before is not None and self.delay is not None:
            raise ValueError("names not_before and delay: one of them says it all")
        if self.unique_for is not None and self.unique_key is None:
            raise ValueError("names unique_for without a unique_key")

    def draft(self) -> Draft:
        """As the model has it."""
        return Draft(bytes(self.content), self.priority, self.valid_for, self._options())

    def _options(self) -> Options | None:
        if self._is_plain():
            return None
        unique_for = self.unique_for or _ACTIVE
        return Options(
            uid=None if self.uid is None else self.uid.lower(),
            delay=int(self.delay or 0),
            not_before=int(self.not_before or 0),
            max_attempts=self.max_attempts or 0,
            timeout=int(self.timeout or 0),
            backoff=backoff_of(self.backoff),
            tags=tuple(dict.fromkeys(self.tags)),
            unique_key=self.unique_key,
            unique_for=unique_for.lasts,
            unique_window=unique_for.window,
            replaces=self.on_duplicate == "replace",
        )

    def _is_plain(self) -> bool:
        return (
            self.uid is None
            and self.unique_key is None
            and not self.tags
            and self.not_before is None
            and self.delay is None
            and self.max_attempts is None
            and self.backoff is None
            and self.timeout is None
        )


NewJobs = Annotated[list[NewJob], Meta(min_length=1, max_length=JOBS_MOST)]
new_jobs: Final = decoder(NewJob | NewJobs)
