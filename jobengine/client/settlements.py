"""What a holder says of its jobs, to be sent many at once."""

from typing import Any, ClassVar

from msgspec import Struct

from jobengine.client import values
from jobengine.client.job import Held, Job, held
from jobengine.client.values import Duration

LEASE_SECONDS = 60.0  # how long an extension holds when nothing is said


class Settlement(Struct, frozen=True):
    """One thing that a holder says of one job."""

    verb: ClassVar[str]
    job: Job | Held

    @property
    def queue(self) -> str:
        """Of the job."""
        return self.job.queue

    @property
    def uid(self) -> str:
        """Of the job."""
        return self.job.uid

    def fields(self) -> dict[str, object]:
        """What is said besides the job and the lease."""
        return {}

    def wire(self) -> dict[str, object]:
        """As API v2 takes it. Raises ValueError for a job that was not claimed."""
        holder = held(self.job)
        return {"uid": holder.uid, "lease": holder.lease, **self.fields()}


class Completed(Settlement, frozen=True):
    """It is done."""

    verb = "complete"
    result: Any = None

    def fields(self) -> dict[str, object]:
        """Its result, if it has one."""
        return values.said(result=self.result)


class Failed(Settlement, frozen=True):
    """It did not work."""

    verb = "fail"
    text: str = ""
    kind: str = ""  # of the error; the queue may have a rule for it
    retry: bool | None = None  # None: as the queue says
    delay: Duration | None = None  # until the next attempt; None: as the queue says
    result: Any = None

    def fields(self) -> dict[str, object]:
        """The error, what is to come of it, and what there is to show all the same."""
        delay = None if self.delay is None else values.seconds(self.delay)
        error = {"kind": self.kind, "text": self.text}
        return {"error": error, **values.said(retry=self.retry, delay=delay, result=self.result)}


class Released(Settlement, frozen=True):
    """Let somebody else do it: it has its old place, and this was no attempt."""

    verb = "release"
    delay: Duration = 0
    saved: Any = None

    def fields(self) -> dict[str, object]:
        """When it may be handed out again, and what its next holder is to be given."""
        return values.said(delay=values.seconds(self.delay) if self.delay else None, saved=self.saved)


class Extended(Settlement, frozen=True):
    """It is still being done."""

    verb = "extend"
    by: Duration = LEASE_SECONDS  # from now on

    def fields(self) -> dict[str, object]:
        """How long."""
        return {"by": values.seconds(self.by)}


class Progressed(Settlement, frozen=True):
    """So far it has come."""

    verb = "progress"
    progress: Any = None

    def fields(self) -> dict[str, object]:
        """How far."""
        return {"progress": self.progress}
