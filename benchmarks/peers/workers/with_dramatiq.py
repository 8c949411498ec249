"""Dramatiq on Redis: threads of one process."""

import time

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from benchmarks.peers.workers.tally import BROKER, CONCURRENCY, tally

broker = RedisBroker(url=BROKER)
dramatiq.set_broker(broker)


@dramatiq.actor
def nothing() -> None:
    """Do nothing."""
    tally()


def prepare() -> None:
    """Nothing has to be made."""


def enqueue(jobs: int) -> None:
    """One after the other."""
    for _ in range(jobs):
        nothing.send()


def work() -> None:
    """Its own worker, in this process."""
    dramatiq.Worker(broker, worker_threads=CONCURRENCY).start()
    while True:
        time.sleep(60)
