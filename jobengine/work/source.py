"""Where jobs to be run come from, and where is told what became of them."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from msgspec import Struct, structs

from jobengine.model.log import Stream
from jobengine.work.outcome import Outcome


class Asked(StrEnum):
    """What the broker wants of a job that is held."""

    RUN = "run"
    HALT = "halt"
    STOP = "stop"
    GONE = "gone"  # it is held no longer: somebody else may run it


class Claimed(Struct, frozen=True):
    """A job to be run."""

    queue: str
    uid: str
    lease: str
    attempt: int
    content: bytes  # JSON
    timeout: int = 0  # ms that this attempt may take, as the job itself has it; 0: as its queue has it
    saved: bytes | None = None  # JSON: what an earlier run left when it was halted
    asked: Asked = Asked.RUN  # or STOP: it was stopped since, and what it left is to be ended

    def without_values(self) -> "Claimed":
        """The same job for who only has to name it."""
        return structs.replace(self, content=b"", saved=None)


class Source(Protocol):
    """The running engine, or a broker on another machine. Raises the refusals of errors.py."""

    lease_seconds: float  # how long a job is held without a word

    async def claim(self, queues: Sequence[str], *, most: int, wait: float) -> Sequence[Claimed]:
        """Jobs of these queues, at most so many; waits so many seconds for some. Cancelled, it holds none."""

    async def renew(self, jobs: Sequence[Claimed]) -> Sequence[Asked]:
        """Hold all of them on; what is wanted of each."""

    async def changed(self, job: Claimed, known: Asked) -> None:
        """Wait until it is worth while to renew it: something else than this may be wanted of it."""

    async def log(self, job: Claimed, stream: Stream, offset: int, data: bytes) -> None:
        """Put output behind that which is there. Raises LeaseLost."""

    async def progress(self, job: Claimed, progress: bytes) -> None:
        """How far it has come, as JSON. Raises LeaseLost."""

    async def settle(self, job: Claimed, outcome: Outcome) -> None:
        """How it ended. Raises LeaseLost."""

    async def close(self) -> None:
        """No more jobs."""
