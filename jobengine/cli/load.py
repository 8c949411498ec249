"""A bounded load on one queue of a running broker, and how long its requests took."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import quantiles
from typing import Final

from msgspec import Struct

from jobengine.cli.db.progress import progress
from jobengine.client.client import Client
from jobengine.client.drafts import Draft
from jobengine.client.settlements import Completed

TAG: Final = "jobengine-bench"


class Phase(Struct, frozen=True):
    """What one part of the load has taken. Times of requests are of lists of jobs."""

    what: str
    jobs: int
    seconds: float
    jobs_per_second: float
    median_ms: float
    slow_ms: float  # all but one request in a hundred were quicker


class Load:
    """Makes jobs, and works on them, over several connections."""

    def __init__(
        self, client: Client, queue: str, *, jobs: int, size: int, together: int, connections: int
    ) -> None:
        self._client = client
        self._queue = queue
        self._jobs = jobs
        self._content = "x" * max(1, size - 2)  # and two quotes
        self._together = together
        self._connections = connections
        self._seconds: list[float] = []  # of each request; a list takes an append of any thread

    def create(self) -> Phase:
        """Make the jobs. Raises the refusals of errors.py."""
        sizes = [min(self._together, self._jobs - start) for start in range(0, self._jobs, self._together)]
        return self._phase("create", lambda told: self._each(self._create_some, sizes, told))

    def work(self) -> Phase:
        """Claim and complete all of them. Raises the refusals of errors.py."""
        return self._phase("claim and complete", self._work)

    def remove(self) -> None:
        """Leave nothing behind."""
        self._client.bulk(self._queue, "delete", filter=f'tag = "{TAG}"')

    def _phase(self, what: str, do: Callable[[Callable[[int], None]], int]) -> Phase:
        self._seconds = []
        begun = time.monotonic()
        with progress(what, self._jobs, in_jobs=True) as told:
            jobs = do(told)
        seconds = time.monotonic() - begun
        median, slow = _quantiles(self._seconds)
        return Phase(what, jobs, seconds, jobs / seconds, median * 1000, slow * 1000)

    def _each(self, do: Callable[[int], int], sizes: list[int], told: Callable[[int], None]) -> int:
        done = 0
        with ThreadPoolExecutor(self._connections) as threads:
            for count in threads.map(do, sizes):
                done += count
                told(done)
        return done

    def _create_some(self, count: int) -> int:
        drafts = [Draft(self._content, tags=(TAG,)) for _ in range(count)]
        with self._timed():
            return len(self._client.create_uids(self._queue, drafts))

    def _work(self, told: Callable[[int], None]) -> int:
        done = 0
        with ThreadPoolExecutor(self._connections) as threads:
            while done < self._jobs:
                counts = list(threads.map(self._work_on_some, [self._together] * self._connections))
                if not any(counts):
                    break
                done += sum(counts)
                told(done)
        return done

    def _work_on_some(self, most: int) -> int:
        with self._timed():
            claimed = self._client.claim(self._queue, most)
        if not claimed:
            return 0
        with self._timed():
            settled = self._client.settle(self._queue, [Completed(job) for job in claimed], with_jobs=False)
        return sum(1 for each in settled if each.error is None)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self._seconds.append(time.monotonic() - begun)


def _quantiles(seconds: list[float]) -> tuple[float, float]:
    if len(seconds) == 1:
        return seconds[0], seconds[0]
    cuts = quantiles(seconds, n=100, method="inclusive")
    return cuts[49], cuts[98]
