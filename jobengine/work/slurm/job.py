"""What a Slurm job can be asked, wherever Slurm is."""

from typing import Any, Protocol

from msgspec import Struct

from jobengine.work.outcome import Outcome


class Saved(Struct, frozen=True, omit_defaults=True):
    """What whoever goes on with a Slurm job needs to know.

    Whoever may claim the job can write such a thing: it is not believed without a proof.
    """

    slurm_id: int
    proof: str | None = None  # that it was made by one who has the service's token
    directory: str | None = None  # on the file system that all nodes share; None when a service keeps it


class Unreachable(Exception):
    """Slurm did not answer; it may soon."""


class SlurmJob(Protocol):
    """One job of Slurm's."""

    async def submit(self) -> Saved:
        """Give it to Slurm. Raises Refused."""

    async def go_on(self, saved: Saved) -> bool:
        """Take over what another worker left, and let it go on; False when there is no such job here.

        Raises OSError, Unreachable.
        """

    async def look(self) -> Outcome | None:
        """Its outcome; None while it has none. Raises Unreachable."""

    async def suspend(self) -> bool:
        """Let it stand still; False when that cannot be had."""

    async def resume(self) -> None:
        """Let it go on."""

    async def cancel(self) -> bool:
        """End it; False when that cannot be had. Raises Unreachable."""

    async def clean(self, *, is_over: bool) -> None:
        """Hold nothing open; leave nothing of it behind when it is over."""

    def details(self) -> dict[str, Any]:
        """How far it has come."""
