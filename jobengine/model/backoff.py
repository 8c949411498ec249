"""How long a failed job waits until it may be handed out again."""

import zlib

from msgspec import Struct

HOUR_MS = 60 * 60 * 1000


class Backoff(Struct, frozen=True, gc=False, omit_defaults=True):
    """Growing from one delay to another, or a list of delays. All in milliseconds."""

    first: int = 1000
    factor: float = 2.0
    most: int = HOUR_MS
    jitter: float = 0.2  # a delay is longer or shorter by at most this share of it, against herds
    delays: tuple[int, ...] = ()  # in place of the above, one after each failure; the last one stays

    def delay(self, *, attempt: int, uid: str) -> int:
        """How long to wait after this attempt (from 1) has failed.

        The jitter is made of the job's uid and the attempt: whoever computes it gets the same.
        """
        delay = self._steady(attempt)
        share = zlib.crc32(f"{uid}:{attempt}".encode()) / 0xFFFF_FFFF
        return round(delay * (1 + self.jitter * (2 * share - 1)))

    def _steady(self, attempt: int) -> float:
        if self.delays:
            return self.delays[min(attempt, len(self.delays)) - 1]
        try:
            return min(self.first * self.factor ** (attempt - 1), self.most)
        except OverflowError:
            return self.most


class ErrorRule(Struct, frozen=True, gc=False, omit_defaults=True):
    """What is done with a job that failed with one kind of error."""

    kind: str
    backoff: Backoff | None  # None: no retry
