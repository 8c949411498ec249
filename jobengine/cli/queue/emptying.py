"""`jobengine queue purge, redrive`: what is done to all jobs of a queue."""

from typing import Annotated

import typer

from jobengine.cli.asking import Asking, QueueName
from jobengine.cli.db.progress import progress
from jobengine.cli.output import jobs_text

_QUEUED = "queued"


def purge(
    asking: Asking,
    queue: QueueName,
    state: Annotated[
        str, typer.Option(help="Those in these states: queued, complete, failed; commas between.")
    ] = _QUEUED,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,  # noqa: FBT002
) -> None:
    """Remove all queued jobs of a queue, or those in other states."""
    states = state.split(",")
    jobs = asking.client.queue(queue).jobs
    total = sum(jobs.get(each, 0) for each in states)
    asking.confirm(f"Remove {jobs_text(total)} of {queue}?", is_sure=yes)
    with progress("purging", total, in_jobs=True) as told:
        gone = asking.client.purge_queue(queue, state=states, on_slice=told)
    asking.show({"changed": gone}, [f"{queue}: {jobs_text(gone)} removed"])


def redrive(
    asking: Asking,
    queue: QueueName,
    to: Annotated[str | None, typer.Option(help="To this queue, else where each of them failed.")] = None,
) -> None:
    """Send the dead letters of a queue back to where they failed, to be tried anew."""
    total = sum(asking.client.queue(queue).jobs.values())
    with progress("redriving", total, in_jobs=True) as told:
        sent = asking.client.redrive_queue(queue, to=to, on_slice=told)
    asking.show({"changed": sent}, [f"{queue}: {jobs_text(sent)} sent back"])
