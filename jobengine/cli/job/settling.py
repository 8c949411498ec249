"""`jobengine job claim, complete, fail`: what a worker does, by hand or in a script."""

from typing import TYPE_CHECKING, Annotated

import typer

from jobengine.cli.asking import NOT_SO_EXIT_CODE, Asking, QueueName
from jobengine.cli.job.options import LeaseId, Uid, time_option, value_of

if TYPE_CHECKING:
    from jobengine.client.job import Job


def claim(
    asking: Asking,
    queue: QueueName,
    most: Annotated[int, typer.Option("--max", min=1, max=1000, help="At most so many jobs.")] = 1,
    wait: Annotated[float | None, time_option("Wait so long for some.")] = None,
    lease: Annotated[float | None, time_option("They are yours for so long, else for 60 s.")] = None,
    worker: Annotated[str | None, typer.Option(help="What the worker is called.")] = None,
) -> None:
    """Take the first jobs of a queue; exits with 3 when there are none."""
    jobs = asking.client.claim(queue, most, wait=wait or 0, lease=lease, worker=worker)
    if not jobs:
        typer.echo("no job is there to be claimed", err=True)
        raise typer.Exit(NOT_SO_EXIT_CODE)
    asking.show_all(jobs, ("UID", "LEASE", "ATTEMPT", "CONTENT"), _row)


def complete(
    asking: Asking,
    queue: QueueName,
    uid: Uid,
    lease: LeaseId,
    result: Annotated[
        str | None, typer.Option(help="Its result: JSON; `-` takes what comes in, `@FILE` the file.")
    ] = None,
) -> None:
    """Say that a claimed job is done."""
    from jobengine.client.job import Held

    value = None if result is None else value_of(result)
    job = asking.client.complete(Held(queue, uid, lease), value)
    asking.show(job, [f"{job.uid}: {job.state}"])


def fail(
    asking: Asking,
    queue: QueueName,
    uid: Uid,
    lease: LeaseId,
    error: Annotated[str, typer.Option(help="What went wrong.")] = "",
    kind: Annotated[str, typer.Option(help="The kind of error; the queue may have a rule for it.")] = "",
    retry: Annotated[
        bool | None, typer.Option("--retry/--no-retry", help="Whether to try again, else as the queue says.")
    ] = None,
    delay: Annotated[float | None, time_option("Try again after so long, else as the queue says.")] = None,
) -> None:
    """Say that a claimed job did not work."""
    from jobengine.client.job import Held

    job = asking.client.fail(Held(queue, uid, lease), error, kind=kind, retry=retry, delay=delay)
    asking.show(job, [f"{job.uid}: {job.state}"])


def _row(job: "Job") -> tuple[str, ...]:
    from jobengine.cli.output import one_line

    lease = None if job.lease is None else job.lease.id
    return job.uid, lease or "", str(job.attempt), one_line(job.content)
