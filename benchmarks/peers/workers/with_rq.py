"""RQ on Redis: one job at a time, without a fork for each."""

from redis import Redis
from rq import Queue, SimpleWorker

from benchmarks.peers.workers.tally import BROKER, tally

connection = Redis.from_url(BROKER)
queue = Queue("bench", connection=connection)


def nothing() -> None:
    """Do nothing."""
    tally()


def prepare() -> None:
    """Nothing has to be made."""


def enqueue(jobs: int) -> None:
    """One after the other."""
    for _ in range(jobs):
        queue.enqueue("benchmarks.peers.workers.with_rq.nothing", result_ttl=0)


def work() -> None:
    """Its own worker."""
    SimpleWorker([queue], connection=connection).work(logging_level="WARNING")
