"""What holders say of their jobs, as API v2 takes it."""

from collections.abc import Iterator
from typing import Annotated, Final

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from jobengine.model.commands import Complete, Extend, Fail, Progress, Release, Settlement
from jobengine.web.v2.decoding import decoder
from jobengine.web.v2.durations import Delay, Lease
from jobengine.web.v2.values import LeaseId, Uid

SETTLEMENTS_MOST: Final = 1000
PROGRESS_MOST_BYTES: Final = 4096
RESULT_MOST_BYTES: Final = 1024 * 1024
LEASE: Final = Lease(60_000)


def _check_length(value: Raw | UnsetType, name: str) -> None:
    """Raises ValueError."""
    if value is not UNSET and len(bytes(value)) > RESULT_MOST_BYTES:
        raise ValueError(f"holds a {name} of more than {RESULT_MOST_BYTES} bytes")


def _given(value: Raw | UnsetType) -> bytes | None:
    return None if value is UNSET else bytes(value)


class CompleteBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """It is done. `result` is any JSON."""

    lease: LeaseId
    result: Raw | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Raises ValueError."""
        _check_length(self.result, "result")

    def settlement(self, uid: str) -> Complete:
        """Of this job, as the model has it."""
        return Complete(uid, int(self.lease, 16), _given(self.result))


class ErrorBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What went wrong: a kind for programs, and a text for people."""

    kind: Annotated[str, Meta(max_length=200)] = ""
    text: str = ""


class FailBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """It did not work. `result` is any JSON; `retry` and `delay` go before the rules of the queue."""

    lease: LeaseId
    error: str | ErrorBody = ""
    result: Raw | UnsetType = UNSET
    retry: bool | None = None
    delay: Delay | None = None

    def __post_init__(self) -> None:
        """Raises ValueError."""
        _check_length(self.result, "result")

    def settlement(self, uid: str) -> Fail:
        """Of this job, as the model has it."""
        error = ErrorBody(text=self.error) if isinstance(self.error, str) else self.error
        delay = None if self.delay is None else int(self.delay)
        lease, result = int(self.lease, 16), _given(self.result)
        return Fail(uid, lease, error.kind, error.text, self.retry, delay, result)


class ReleaseBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Let somebody else do it. `saved` is any JSON, which the next holder gets with the job."""

    lease: LeaseId
    delay: Delay | None = None
    saved: Raw | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Raises ValueError."""
        _check_length(self.saved, "saved")

    def settlement(self, uid: str) -> Release:
        """Of this job, as the model has it."""
        return Release(uid, int(self.lease, 16), int(self.delay or 0), _given(self.saved))


class ExtendBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """It is still being done."""

    lease: LeaseId
    by: Lease = field(default_factory=lambda: LEASE)  # from now on

    def settlement(self, uid: str) -> Extend:
        """Of this job, as the model has it."""
        return Extend(uid, int(self.lease, 16), int(self.by))


class ProgressBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So far it has come. `progress` is any JSON of up to 4 KiB."""

    lease: LeaseId
    progress: Raw

    def __post_init__(self) -> None:
        """Raises ValueError."""
        if len(bytes(self.progress)) > PROGRESS_MOST_BYTES:
            raise ValueError(f"holds a progress of more than {PROGRESS_MOST_BYTES} bytes")

    def settlement(self, uid: str) -> Progress:
        """Of this job, as the model has it."""
        return Progress(uid, int(self.lease, 16), bytes(self.progress))


class CompleteOne(CompleteBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of several that are done."""

    uid: Uid


class FailOne(FailBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of several that did not work."""

    uid: Uid


class ReleaseOne(ReleaseBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of several that somebody else is to do."""

    uid: Uid


class ExtendOne(ExtendBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of several that are still being done."""

    uid: Uid


class ProgressOne(ProgressBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of several of which to say how far they have come."""

    uid: Uid


class SettleBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What is said of many jobs, in this order."""

    complete: list[CompleteOne] = []
    fail: list[FailOne] = []
    release: list[ReleaseOne] = []
    extend: list[ExtendOne] = []
    progress: list[ProgressOne] = []

    def __post_init__(self) -> None:
        """Raises ValueError."""
        total = (
            len(self.complete) + len(self.fail) + len(self.release) + len(self.extend) + len(self.progress)
        )
        if not 1 <= total <= SETTLEMENTS_MOST:
            raise ValueError(f"must hold from 1 to {SETTLEMENTS_MOST} settlements")

    def settlements(self) -> Iterator[Settlement]:
        """All of them, as the model has them."""
        for several in (self.complete, self.fail, self.release, self.extend, self.progress):
            for one in several:
                yield one.settlement(one.uid.lower())


settle_form: Final = decoder(SettleBody)
complete_form: Final = decoder(CompleteBody)
fail_form: Final = decoder(FailBody)
release_form: Final = decoder(ReleaseBody)
extend_form: Final = decoder(ExtendBody)
progress_form: Final = decoder(ProgressBody)
