"""Celery on Redis: threads; a job is acknowledged when it has been done."""

from celery import Celery

from benchmarks.peers.workers.tally import BROKER, CONCURRENCY, tally

application = Celery("bench", broker=BROKER)
application.conf.update(task_acks_late=True, task_ignore_result=True)


@application.task
def nothing() -> None:
    """Do nothing."""
    tally()


def prepare() -> None:
    """Nothing has to be made."""


def enqueue(jobs: int) -> None:
    """One after the other."""
    for _ in range(jobs):
        nothing.delay()


def work() -> None:
    """Its own worker."""
    application.worker_main(
        ["worker", "--pool", "threads", "--concurrency", str(CONCURRENCY), "--loglevel", "WARNING"]
    )
