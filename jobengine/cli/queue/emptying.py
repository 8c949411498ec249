"""`jobengine queue purge, redrive`: what is done to all jobs of a queue."""

from typing import Annotated

import typer

from jobengine.cli.asking import Asking, QueueName
from jobengine.cli.counting import counting

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
    sure(f"Remove {total} jobs of {queue}?", is_sure=yes)
    with counting("purging", total) as told:
        gone = asking.client.purge_queue(queue, state=states, on_slice=told)
    asking.show({"changed": gone}, [f"{queue}: {gone} jobs are gone"])


def redrive(
    asking: Asking,
    queue: QueueName,
    to: Annotated[str | None, typer.Option(help="To this queue, else where each of them failed.")] = None,
) -> None:
    """Send the dead letters of a queue back to where they failed, to be tried anew."""
    total = sum(asking.client.queue(queue).jobs.values())
    with counting("redriving", total) as told:
        sent = asking.client.redrive_queue(queue, to=to, on_slice=told)
    asking.show({"changed": sent}, [f"{queue}: {sent} jobs went back"])


def sure(question: str, *, is_sure: bool) -> None:
    """Ask, where somebody is there to be asked. Exits with 64 where nobody is, and with 1 for a no."""
    import sys

    if is_sure:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter(f"{question} Say --yes: there is no terminal to ask on")
    typer.confirm(question, abort=True, err=True)
