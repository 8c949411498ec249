"""`jobengine job create`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from jobengine.cli.asking import NOT_SO_EXIT_CODE, Asking, QueueName
from jobengine.cli.job.options import HEADS, bytes_of, details, row, time_option, value_of
from jobengine.cli.usage import WrittenWrong

if TYPE_CHECKING:
    from jobengine.client.drafts import Draft
    from jobengine.client.job import Job

TOGETHER: Final = 1000

Lines = Annotated[bool, typer.Option("--lines", help="Each line is the content of a job of its own.")]


def create(
    asking: Asking,
    queue: QueueName,
    content: Annotated[
        str,
        typer.Argument(
            metavar="CONTENT", help="JSON; `-` takes what comes in, `@FILE` what stands in the file."
        ),
    ],
    lines: Lines = False,  # noqa: FBT002
    priority: Annotated[int, typer.Option(min=1, max=100, help="100 is the most urgent.")] = 50,
    valid_for: Annotated[float | None, time_option("How long it may wait in the queue.")] = None,
    delay: Annotated[float | None, time_option("It is not handed out before.")] = None,
    max_attempts: Annotated[
        int | None, typer.Option(min=1, max=1000, help="How often it is handed out; else as the queue says.")
    ] = None,
    timeout: Annotated[float | None, time_option("How long one attempt may take.")] = None,
    unique_key: Annotated[
        str | None, typer.Option(help="While a job with it has not ended, no other is made.")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag; may be given several times.")] = None,
    uid: Annotated[str | None, typer.Option(help="A UUID: the same again makes no second job.")] = None,
    wait: Annotated[
        float | None, time_option("Wait so long for its end; exits with 3 when it did not complete.")
    ] = None,
) -> None:
    """Put a job into a queue, or with --lines many."""
    options: dict[str, Any] = {
        "priority": priority,
        "valid_for": valid_for,
        "delay": delay,
        "max_attempts": max_attempts,
        "timeout": timeout,
        "unique_key": unique_key,
        "tags": tuple(tag or ()),
    }
    if lines:
        _many(asking, queue, bytes_of(content), options)
        return
    job = asking.client.create(queue, value_of(content), uid=uid, wait=wait or 0, **options)
    asking.show(job, [job.uid] if wait is None else details(job))
    if wait is not None and job.state != "complete":
        raise typer.Exit(NOT_SO_EXIT_CODE)


def _many(asking: Asking, queue: str, text: bytes, options: dict[str, Any]) -> None:
    from jobengine.cli.db.progress import progress

    drafts = list(_drafts(text, options))
    jobs: list[Job] = []
    with progress("creating", len(drafts), in_jobs=True) as told:
        for start in range(0, len(drafts), TOGETHER):
            jobs += asking.client.create_many(queue, drafts[start : start + TOGETHER])
            told(len(jobs))
    asking.show_all(jobs, HEADS, row)


def _drafts(text: bytes, options: dict[str, Any]) -> "Iterator[Draft]":
    from jobengine.client.drafts import Draft

    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                yield Draft(value_of(line.decode()), **options)
            except (typer.BadParameter, UnicodeDecodeError) as error:
                raise WrittenWrong(f"line {number}: {error}") from None
