"""`jobengine queue purge, redrive`: what is done to all jobs of a queue."""

from typing import TYPE_CHECKING, Annotated

import typer

from jobengine.cli.asking import REFUSED_EXIT_CODE, Asking, QueueName
from jobengine.cli.db.progress import progress
from jobengine.cli.output import jobs_text

if TYPE_CHECKING:
    from jobengine.client.results import Bulk

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
        done = asking.client.purge_queue(queue, state=states, on_slice=lambda done: told(done.changed))
    _show(asking, queue, done, "removed")


def redrive(
    asking: Asking,
    queue: QueueName,
    to: Annotated[str | None, typer.Option(help="To this queue, else where each of them failed.")] = None,
) -> None:
    """Send the dead letters of a queue back to where they failed, to be tried anew."""
    total = sum(asking.client.queue(queue).jobs.values())
    with progress("redriving", total, in_jobs=True) as told:
        done = asking.client.redrive_queue(queue, to=to, on_slice=lambda done: told(done.changed))
    _show(asking, queue, done, "sent back")


def _show(asking: Asking, queue: str, done: "Bulk", what: str) -> None:
    """Exits with 1 when some were refused."""
    refused = f", {done.refused} refused" if done.refused else ""
    lines = [f"{queue}: {jobs_text(done.changed)} {what}{refused}"]
    lines += [f"  {each.uid}: {each.detail}" for each in done.problems]
    told = {"changed": done.changed, "refused": done.refused, "problems": done.problems}
    asking.show(told if done.refused else {"changed": done.changed}, lines)
    if done.refused:
        raise typer.Exit(REFUSED_EXIT_CODE)
