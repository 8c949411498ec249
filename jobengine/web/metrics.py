"""/metrics: reads, when it is asked, the counters that the rooms keep."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from jobengine.engine.interface import QueueStatus
from jobengine.model.commands import Swept

CONTENT_TYPE: Final = b"text/plain; version=1.0.0; charset=utf-8"
_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_RECORDS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Histogram:
    """Counts observations in buckets; a tenth of what prometheus_client's own costs on a hot path."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count it."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def buckets(self) -> tuple[list[tuple[str, float]], float]:
        """Upper bounds with the observations up to them, and the sum of all."""
        total = 0
        buckets: list[tuple[str, float]] = []
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self._counts, strict=True):
            total += count
            buckets.append((bound, total))
        return buckets, self._sum


class Metrics:
    """What is counted while the server runs, and how it is shown."""

    def __init__(self) -> None:
        self.operations: Counter[tuple[str, str]] = Counter()  # (kind, outcome)
        self.requests = Histogram(_SECONDS)
        self.commits = Histogram(_SECONDS)
        self.commit_records = Histogram(_RECORDS)
        self.swept: Counter[str] = Counter()
        self.queues: Callable[[], Iterable[QueueStatus]] = tuple
        self.file_bytes: Callable[[], int] = int
        self.torn_bytes: Callable[[], int] = int
        self.connections: Callable[[], int] = int
        self.free_bytes: Callable[[], int] = int
        self.scrub_last_completed: Callable[[], float] = float
        self.scrub_damaged_bytes: Callable[[], int] = int
        self.scrub_read_bytes: Callable[[], int] = int
        self._registry = CollectorRegistry()
        self._registry.register(self)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)

    def operation(self, kind: str, outcome: str, seconds: float) -> None:
        """A request was answered."""
        self.operations[kind, outcome] += 1
        self.requests.observe(seconds)

    def commit(self, records: int, seconds: float) -> None:
        """A group commit reached the disk."""
        self.commits.observe(seconds)
        self.commit_records.observe(records)

    def sweep(self, swept: Swept) -> None:
        """Time changed some jobs."""
        self.swept.update(
            expired=swept.expired,
            timed_out=swept.timed_out,
            retried=swept.retried,
            forgotten=swept.forgotten,
        )

    def render(self) -> bytes:
        """All metrics in the text format of Prometheus."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """All metrics, for prometheus_client."""
        yield from self._collect_queues()
        yield self._collect_operations()
        yield _histogram(
            "jobengine_request_seconds", "Time from a request's head to its answer.", self.requests
        )
        yield _histogram(
            "jobengine_commit_seconds", "Time of a group commit: sealed, written, synced.", self.commits
        )
        yield _histogram("jobengine_commit_records", "Records in a group commit.", self.commit_records)
        yield self._collect_swept()
        yield GaugeMetricFamily("jobengine_file_bytes", "Size of the database file.", self.file_bytes())
        yield GaugeMetricFamily(
            "jobengine_torn_tail_bytes",
            "Bytes that the last start cut off, never acknowledged.",
            self.torn_bytes(),
        )
        yield GaugeMetricFamily(
            "jobengine_disk_free_bytes", "Room on the disk of the database file.", self.free_bytes()
        )
        yield from self._collect_scrub()
        yield GaugeMetricFamily("jobengine_connections", "Open client connections.", self.connections())

    def _collect_queues(self) -> Iterator[Metric]:
        jobs = GaugeMetricFamily("jobengine_jobs", "Jobs by queue and state.", labels=("queue", "state"))
        oldest = GaugeMetricFamily(
            "jobengine_oldest_queued_seconds", "Age of the job that has waited longest.", labels=("queue",)
        )
        for queue in self.queues():
            for state, count in queue.jobs.items():
                jobs.add_metric((queue.name, state), count)
            oldest.add_metric((queue.name,), queue.oldest_queued_ms / 1000)
        yield jobs
        yield oldest

    def _collect_scrub(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "jobengine_scrub_last_completed_timestamp_seconds",
            "When the whole database file was last read and checked; 0 when not since the start.",
            self.scrub_last_completed(),
        )
        yield GaugeMetricFamily(
            "jobengine_scrub_damaged_bytes",
            "Bytes of the database file that are damaged on the disk.",
            self.scrub_damaged_bytes(),
        )
        yield CounterMetricFamily(
            "jobengine_scrub_read_bytes",
            "Bytes that the scrub has read and checked.",
            self.scrub_read_bytes(),
        )

    def _collect_operations(self) -> Metric:
        family = CounterMetricFamily(
            "jobengine_operations",
            "Requests by what they asked and what came of it.",
            labels=("kind", "outcome"),
        )
        for (kind, outcome), count in sorted(self.operations.items()):
            family.add_metric((kind, outcome), count)
        return family

    def _collect_swept(self) -> Metric:
        family = CounterMetricFamily(
            "jobengine_swept_jobs", "Jobs that time has changed.", labels=("result",)
        )
        for result in ("expired", "timed_out", "retried", "forgotten"):
            family.add_metric((result,), self.swept[result])
        return family


def _histogram(name: str, documentation: str, histogram: Histogram) -> Metric:
    buckets, total = histogram.buckets()
    return HistogramMetricFamily(name, documentation, buckets=buckets, sum_value=total)
