"""A queue, as its settings describe it. All durations are milliseconds."""

from enum import StrEnum

from msgspec import Struct

from jobengine.model.backoff import Backoff, ErrorRule


class WhenFull(StrEnum):
    """What a full queue does with one job more."""

    REFUSE = "refuse"
    DROP_LOWEST = "drop_lowest"  # the last in its order goes, when the new one stands before it


class Queue(Struct, frozen=True, omit_defaults=True):
    """A named, ordered set of jobs, as the configuration describes it."""

    name: str
    keep: int  # that complete and failed jobs are kept after their last update
    lease: int  # in progress without an update before a job has timed out, where its claim says nothing
    max_attempts: int = 1
    backoff: Backoff = Backoff()
    error_rules: tuple[ErrorRule, ...] = ()
    dead_letter: str | None = None  # the queue that takes what failed for good
    keeps_expired: bool = False  # as failed; else what is queued past its end is gone
    max_jobs: int = 0  # that wait in it; 0: no limit
    max_bytes: int = 0  # of the contents of those that wait; 0: no limit
    when_full: WhenFull = WhenFull.REFUSE
    is_paused: bool = False  # by the configuration
    is_paused_by_hand: bool = False
    is_draining: bool = False  # it takes no more jobs
    log_bytes: int = 1024 * 1024  # that are kept of what a job writes while it is run
    keep_logs: int = 50  # of jobs that nobody runs; the most recent ones
    is_made_by_api: bool = False  # else somebody wrote it down

    @property
    def hands_out(self) -> bool:
        """Whether its jobs may be claimed."""
        return not (self.is_paused or self.is_paused_by_hand)
