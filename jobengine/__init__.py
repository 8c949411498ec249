"""JobEngine: a persistent, encrypted, multi-queue job broker."""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from jobengine.client.async_client import AsyncClient
    from jobengine.client.client import Client
    from jobengine.client.drafts import Draft
    from jobengine.client.job import Asked, Failure, Held, Job, Lease, State
    from jobengine.client.results import Bulk, Page, Queue, Settled, Why
    from jobengine.client.settlements import Completed, Extended, Failed, Progressed, Released
    from jobengine.client.worker import CurrentJob, Fail, Release, Retry, Worker
    from jobengine.errors import JobEngineError
    from jobengine.work.job_class import JobClass

__version__ = "0.1.0"

_ROOMS: Final = {
    "jobengine.client.async_client": ("AsyncClient",),
    "jobengine.client.client": ("Client",),
    "jobengine.client.drafts": ("Draft",),
    "jobengine.client.job": ("Asked", "Failure", "Held", "Job", "Lease", "State"),
    "jobengine.client.results": ("Bulk", "Page", "Queue", "Settled", "Why"),
    "jobengine.client.settlements": ("Completed", "Extended", "Failed", "Progressed", "Released"),
    "jobengine.client.worker": ("CurrentJob", "Fail", "Release", "Retry", "Worker"),
    "jobengine.errors": ("JobEngineError",),
    "jobengine.work.job_class": ("JobClass",),
}
_PLACES: Final = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "Asked",
    "AsyncClient",
    "Bulk",
    "Client",
    "Completed",
    "CurrentJob",
    "Draft",
    "Extended",
    "Fail",
    "Failed",
    "Failure",
    "Held",
    "Job",
    "JobClass",
    "JobEngineError",
    "Lease",
    "Page",
    "Progressed",
    "Queue",
    "Release",
    "Released",
    "Retry",
    "Settled",
    "State",
    "Why",
    "Worker",
    "__version__",
]


def __getattr__(name: str) -> object:
    """Load the client when it is first used: the broker and the command line start without it."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
