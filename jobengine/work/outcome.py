"""How one attempt at a job ended, as the worker reports it. All results are JSON as it goes into the job."""

from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import force_setattr

KIND_MOST: Final = 200  # characters
TEXT_MOST: Final = 2000


class Kind(StrEnum):
    """Why a job failed. A job in Python may also fail with the name of the exception that it raised."""

    EXIT_CODE = "exit_code"
    SIGNAL = "signal"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    FILE_SIZE = "file_size"
    CPU = "cpu"
    NOT_FOUND = "not_found"  # the program, or the class
    NOT_STARTED = "not_started"  # this machine had no room for it, or its directory was out of reach
    CONTENT = "content"  # what the job says is not what its queue runs
    ARCHIVE = "archive"
    BASE64 = "base64"
    SANDBOX = "sandbox"
    STOPPED = "stopped"
    OUTPUT = "output"
    ERROR = "error"


class Done(Struct, frozen=True):
    """It worked."""

    result: bytes


class Broken(Struct, frozen=True):
    """It did not."""

    kind: str
    text: str
    result: bytes | None = None
    retry: bool | None = None  # None: as the queue says

    def __post_init__(self) -> None:
        """What is said may be of any length, and no Unicode: the name of a file, for example."""
        force_setattr(self, "kind", _storable(self.kind, KIND_MOST))
        force_setattr(self, "text", _storable(self.text, TEXT_MOST))


class GivenBack(Struct, frozen=True):
    """It came to no result, and not by its own fault: the attempt does not count."""


class Halted(Struct, frozen=True):
    """It stands still, and is to go on elsewhere when it is resumed."""

    saved: bytes | None = None


Outcome = Done | Broken | GivenBack | Halted


class Refused(Exception):
    """The job cannot be run as it is."""

    def __init__(self, kind: Kind, text: str, *, retry: bool | None = False) -> None:
        """Without `retry` it is not tried again: it would be the same."""
        super().__init__(text)
        self.broken = Broken(kind, text, retry=retry)


def _storable(text: str, most: int) -> str:
    return text[:most].encode(errors="replace").decode()
