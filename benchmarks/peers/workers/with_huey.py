"""Huey on Redis: threads; a job that a crash interrupts is lost."""

from huey import RedisHuey

from benchmarks.peers.workers.tally import BROKER, CONCURRENCY, tally

huey = RedisHuey("bench", url=BROKER, results=False)


@huey.task()
def nothing() -> None:
    """Do nothing."""
    tally()


def prepare() -> None:
    """Nothing has to be made."""


def enqueue(jobs: int) -> None:
    """One after the other."""
    for _ in range(jobs):
        nothing()


def work() -> None:
    """Its own worker."""
    huey.create_consumer(workers=CONCURRENCY, periodic=False).run()
