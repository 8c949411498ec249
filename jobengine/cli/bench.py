"""`jobengine bench`: how quick a broker is, from here, with a queue that one names."""

from typing import TYPE_CHECKING, Annotated

import typer

from jobengine.cli.asking import Asking, QueueName

if TYPE_CHECKING:
    from jobengine.cli.load import Phase


def bench(
    asking: Asking,
    queue: QueueName,
    jobs: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many jobs to make.")] = 10_000,
    size: Annotated[int, typer.Option(min=1, max=65536, help="Bytes of the content of each.")] = 200,
    together: Annotated[int, typer.Option("--list", min=1, max=1000, help="Jobs in one request.")] = 100,
    connections: Annotated[int, typer.Option(min=1, max=64, help="Requests at the same time.")] = 4,
) -> None:
    """Make jobs in an empty queue, claim and complete them, and tell how quick that was.

    Needs the rights to read and to write. Its jobs are removed at the end. A queue with jobs is left alone.
    """
    from jobengine.cli.load import Load
    from jobengine.errors import BadState

    present = asking.client.queue(queue).jobs
    if any(present.values()):
        raise BadState(f"the queue {queue} has jobs, which bench would claim: name one that is empty")
    load = Load(asking.client, queue, jobs=jobs, size=size, together=together, connections=connections)
    try:
        phases = [load.create(), load.work()]
    finally:
        load.remove()
    asking.show_all(phases, ("WHAT", "JOBS", "SECONDS", "JOBS/S", "MEDIAN", "99 %"), _row)


def _row(phase: "Phase") -> tuple[str, ...]:
    return (
        phase.what,
        str(phase.jobs),
        f"{phase.seconds:.2f}",
        f"{phase.jobs_per_second:.0f}",
        f"{phase.median_ms:.1f} ms",
        f"{phase.slow_ms:.1f} ms",
    )
