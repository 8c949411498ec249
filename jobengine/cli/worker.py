"""`jobengine worker`: runs jobs; `jobengine worker list`: who does."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobengine.cli.asking import Asking, Ca, Cert, Key, asks, broker_meant, files_of, told
from jobengine.cli.completion import context_names, queue_names
from jobengine.cli.job.options import time_option
from jobengine.cli.usage import WrittenWrong

if TYPE_CHECKING:
    from jobengine.client.results import WorkerSeen


def application() -> typer.Typer:
    """Run jobs, or tell who does."""
    commands = typer.Typer(
        help="Run the jobs of queues, as this machine's configuration says.",
        rich_markup_mode=None,
        invoke_without_command=True,
    )
    commands.callback()(run)
    commands.command("list")(asks(list_))
    return commands


def run(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(help="The configuration file, else CONFIG_PATH: its `run` blocks count here."),
    ] = None,
    queue: Annotated[
        list[str] | None,
        typer.Option(help="A queue whose jobs to run; may be given again.", autocompletion=queue_names),
    ] = None,
    worker: Annotated[
        str | None, typer.Option(help="What this worker is called, else its machine and process.")
    ] = None,
    lease: Annotated[
        float, time_option("For how long a job is this worker's without a word from it.")
    ] = "60s",  # type: ignore[assignment]  # parsed
    url: Annotated[
        str | None, typer.Option(help="The broker's address, else JOBENGINE_URL, else that of the context.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Who asks, else JOBENGINE_NAME, else that of the context.")
    ] = None,
    context: Annotated[
        str | None,
        typer.Option(help="The context to use, else the current one.", autocompletion=context_names),
    ] = None,
    ca: Ca = None,
    cert: Cert = None,
    key: Key = None,
) -> None:
    """Run the jobs of queues, as this machine's configuration says, until SIGTERM. Needs no SECRET."""
    if ctx.invoked_subcommand is not None:
        return
    if not queue:
        raise WrittenWrong("say which queue's jobs to run: --queue nightly")

    import asyncio

    from jobengine.cli.contexts import Context
    from jobengine.client.async_client import AsyncClient
    from jobengine.settings.environment import configuration_path
    from jobengine.settings.load import load
    from jobengine.settings.logs import set_up_logs
    from jobengine.upkeep.last_resort import LastResort
    from jobengine.work.process import queues_to_run, work

    set_up_logs(os.environ)
    files = files_of({"ca": ca, "cert": cert, "key": key})
    where = broker_meant(Context(url=url, name=name, **files), context)
    settings = load(config or configuration_path(os.environ), os.environ)
    queues = queues_to_run(settings, queue)

    async def working() -> None:
        client = AsyncClient(
            where.url, name=where.name, ca=where.ca, cert=where.cert, key=where.key, retry_seconds=lease
        )
        await work(settings, queues, client, name=worker, lease_seconds=lease)
        last_resort = LastResort()
        last_resort.start()
        last_resort.stopped(0)

    with told():
        asyncio.run(working())


def list_(asking: Asking) -> None:
    """Tell who has worked in the last ten minutes, and at what."""
    asking.show_all(asking.client.workers(), ("NAME", "SERVICE", "QUEUES", "JOBS", "LAST SEEN"), _row)


def _row(worker: "WorkerSeen") -> tuple[str, ...]:
    from jobengine.cli.output import time_text

    return (
        worker.name,
        worker.service,
        ",".join(worker.queues),
        str(len(worker.jobs)),
        time_text(worker.last_seen),
    )
