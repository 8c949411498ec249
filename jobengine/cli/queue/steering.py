"""`jobengine queue pause, resume, drain`."""

from jobengine.cli.asking import Asking, QueueName
from jobengine.cli.output import jobs_text


def pause(asking: Asking, queue: QueueName) -> None:
    """Hand out no more jobs of a queue. Needs the admin right; so do all that follow."""
    found = asking.client.pause_queue(queue)
    asking.show(found, [f"{queue}: paused"])


def resume(asking: Asking, queue: QueueName) -> None:
    """End a pause, and a drain."""
    found = asking.client.resume_queue(queue)
    how = "still paused by its settings" if found.paused else "goes on"
    asking.show(found, [f"{queue}: {how}"])


def drain(asking: Asking, queue: QueueName) -> None:
    """Let no more jobs into a queue; those that are there are worked on."""
    found = asking.client.drain_queue(queue)
    asking.show(found, [f"{queue}: takes no more jobs; {jobs_text(found.jobs['queued'])} left to hand out"])
