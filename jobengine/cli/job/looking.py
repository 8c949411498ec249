"""`jobengine job list, get, why, wait`."""

from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from jobengine.cli.asking import NOT_SO_EXIT_CODE, Asking, QueueName, Watch
from jobengine.cli.job.options import HEADS, Uid, details, row, time_option

if TYPE_CHECKING:
    from jobengine.client.results import Why


def list_(
    asking: Asking,
    queue: QueueName,
    state: Annotated[
        str | None, typer.Option(help="Only these: queued, inprogress, complete, failed; commas between.")
    ] = None,
    where: Annotated[
        str | None, typer.Option("--filter", help="Only these, as in: priority >= 50 and tag = urgent")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="At most so many; 0 is all.")] = 50,
    watch: Watch = False,  # noqa: FBT002
) -> None:
    """Tell the jobs of a queue, in its order."""

    def look() -> None:
        jobs = asking.client.jobs(queue, state=state, filter=where, limit=min(limit or 1000, 1000))
        asking.show_all(islice(jobs, limit or None), HEADS, row)

    asking.again(look, watch=watch)


def get(asking: Asking, queue: QueueName, uid: Uid) -> None:
    """Tell all that there is to say of a job."""
    job = asking.client.get(queue, uid)
    asking.show(job, details(job))


def why(asking: Asking, queue: QueueName, uid: Uid, watch: Watch = False) -> None:  # noqa: FBT002
    """Tell what keeps a job from being handed out."""

    def look() -> None:
        answer = asking.client.why(queue, uid)
        asking.show(answer, _lines(answer))

    asking.again(look, watch=watch)


def wait(
    asking: Asking,
    queue: QueueName,
    uid: Uid,
    timeout: Annotated[float | None, time_option("Wait at most so long, else for ever.")] = None,
) -> None:
    """Wait until a job has ended; exits with 3 when it failed, or has not ended in time."""
    job = asking.client.wait(queue, uid, timeout=timeout)
    asking.show(job, details(job))
    if job.state != "complete":
        raise typer.Exit(NOT_SO_EXIT_CODE)


def _lines(why: "Why") -> list[str]:
    return [why.text, *(f"  {each.cause}: {each.text}" for each in why.why if len(why.why) > 1)]
