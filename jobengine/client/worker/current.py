"""A job as the function sees it that does it."""

from collections.abc import Callable
from typing import Any

import msgspec

from jobengine.client import values
from jobengine.client.job import Job, held
from jobengine.client.settlements import Progressed


class CurrentJob:
    """The job that a function does now. All of it may be used from any thread."""

    def __init__(self, job: Job, report: Callable[[Progressed], object]) -> None:
        self.job = job  # as it was when it was claimed
        self.held = held(job)
        self.is_lost = False  # it is not this worker's any more: nothing that is said of it counts
        self.is_to_end = False  # it is lost, somebody stops it, or the worker ends: finish, or raise Release
        self._report = report

    @property
    def uid(self) -> str:
        """Of the job."""
        return self.job.uid

    @property
    def queue(self) -> str:
        """The queue that it was claimed from."""
        return self.job.queue

    @property
    def content(self) -> Any:
        """What is to be done."""
        return self.job.content

    @property
    def attempt(self) -> int:
        """Which attempt this is, from 1."""
        return self.job.attempt

    def progress(self, progress: Any) -> None:
        """Let others see how far it has come; sent soon. Raises TypeError for what JSON cannot say."""
        self._report(Progressed(self.held, msgspec.Raw(values.json(progress))))
