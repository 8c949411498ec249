"""Where queues come from: the configuration, or this API."""

from typing import Protocol

from jobengine.errors import BadState

Settings = dict[str, object]  # of a queue, by the names that the configuration has for them


class Queues(Protocol):
    """Makes and drops queues for those who administer the broker."""

    async def put(self, name: str, settings: Settings) -> bool:
        """Make the queue, or change it. Whether it is new.

        Raises ValidationFailed, BadState for one that the configuration names, StorageFull.
        """

    async def drop(self, name: str) -> None:
        """Drop the queue with its jobs. Raises NotFound, BadState for one that the configuration names."""


class ConfiguredQueues:
    """The queues of a server that makes none by API."""

    async def put(self, name: str, settings: Settings) -> bool:  # noqa: ARG002
        """Raises BadState."""
        raise BadState("this server takes its queues from the configuration only")

    async def drop(self, name: str) -> None:  # noqa: ARG002
        """Raises BadState."""
        raise BadState("this server takes its queues from the configuration only")
