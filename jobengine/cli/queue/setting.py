"""`jobengine queue set, drop`: queues that are made by the API."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from jobengine.cli.asking import Asking, QueueName
from jobengine.cli.output import jobs_text
from jobengine.cli.queue.looking import lines_of
from jobengine.cli.usage import WrittenWrong


def set_(
    asking: Asking,
    queue: QueueName,
    settings: Annotated[
        list[str],
        typer.Argument(
            metavar="OPTION=VALUE...",
            help="Options of the configuration, written as there: read='[a, b]' max_attempts=3",
        ),
    ],
) -> None:
    """Make a queue, or change options of one that was made so; those not named stay."""
    from jobengine.errors import NotFound

    try:
        present = asking.client.queue(queue).settings
    except NotFound:
        present = {"read": [], "write": []}
    found = asking.client.put_queue(queue, {**present, **dict(_options(settings))})
    asking.show(found, lines_of(found))


def drop(
    asking: Asking,
    queue: QueueName,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,  # noqa: FBT002
) -> None:
    """Drop a queue that was made by the API, with all its jobs."""
    total = sum(asking.client.queue(queue).jobs.values())
    asking.confirm(f"Drop {queue} with {jobs_text(total)}?", is_sure=yes)
    asking.client.drop_queue(queue)
    asking.show({"queue": queue, "jobs": total}, [f"{queue}: dropped, and {jobs_text(total)} with it"])


def _options(settings: Iterable[str]) -> Iterable[tuple[str, Any]]:
    import yaml

    for setting in settings:
        name, sign, value = setting.partition("=")
        if not sign:
            raise WrittenWrong(f"{name}: write it as OPTION=VALUE")
        try:
            yield name, yaml.safe_load(value)
        except (yaml.YAMLError, ValueError, RecursionError):  # a date that is none, say
            raise WrittenWrong(f"{name}: its value is not YAML") from None
