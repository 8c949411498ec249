"""`jobengine config explain`: what a service may do with a queue, and why."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import Struct

from jobengine.cli.db.options import Json, answer

if TYPE_CHECKING:
    from jobengine.settings.schema import QueueSettings, Settings


class Verdict(Struct, frozen=True):
    """Whether the service has one right, and where that is written."""

    right: str
    has: bool
    why: str


def explain(
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="The service, as its X-Name says.")],
    queue: Annotated[str, typer.Argument(metavar="QUEUE", help="The queue.")],
    config: Annotated[
        Path | None,
        typer.Option(help="The configuration file, else CONFIG_PATH, else /jobengine/config.yml."),
    ] = None,
    json: Json = False,  # noqa: FBT002 - an option, not an argument
) -> None:
    """Say what a service may do with a queue, and why; exits with 1 when it may do nothing."""
    from jobengine.settings.environment import configuration_path
    from jobengine.settings.load import load

    settings = load(config or configuration_path(os.environ), os.environ)
    verdicts = verdicts_of(settings, service, queue)
    answer(_document(service, queue, verdicts), _lines(service, queue, verdicts), as_json=json)
    if not any(verdict.has for verdict in verdicts):
        raise typer.Exit(1)


def verdicts_of(settings: "Settings", service: str, queue: str) -> list[Verdict]:
    """What is to be said of each right; nothing where there is no such queue."""
    named = [each for each in settings.queues if each.name == queue]
    return [verdict for each in named for verdict in _verdicts(settings, service, each)]


def _verdicts(settings: "Settings", service: str, queue: "QueueSettings") -> Iterator[Verdict]:
    for right, names in (("read", queue.read), ("write", queue.write)):
        yield Verdict(right, *_named(service, names, f"{right} of the queue"))
    if service in settings.admin:
        yield Verdict("admin", has=True, why="it is named in admin of the configuration")
    else:
        places = "admin of the queue or of the configuration"
        is_named = service in queue.admin
        why = "it is named in admin of the queue" if is_named else f"it is not named in {places}"
        yield Verdict("admin", is_named, why)


def _named(service: str, names: frozenset[str], place: str) -> tuple[bool, str]:
    from jobengine.settings.schema import EVERYONE

    if service in names:
        return True, f"it is named in {place}"
    if EVERYONE in names:
        return True, f'"*" in {place} is every service'
    return False, f"it is not named in {place}"


def actions_of(verdicts: list[Verdict]) -> list[str]:
    """What the rights allow on the queue."""
    from jobengine.access.rights import RULES, Action

    rights = {verdict.right for verdict in verdicts if verdict.has}
    of_queues = {action: any_of for action, any_of in RULES.items() if action is not Action.SCRAPE}
    return sorted(action.value for action, any_of in of_queues.items() if not rights.isdisjoint(any_of))


def _document(service: str, queue: str, verdicts: list[Verdict]) -> dict[str, Any]:
    rights = {verdict.right: {"has": verdict.has, "why": verdict.why} for verdict in verdicts}
    return {"service": service, "queue": queue, "rights": rights, "actions": actions_of(verdicts)}


def _lines(service: str, queue: str, verdicts: list[Verdict]) -> Iterator[str]:
    if not verdicts:
        yield f"there is no queue {queue}: jobengine config check says which files are read"
        return
    for verdict in verdicts:
        yield f"{verdict.right}: {'yes' if verdict.has else 'no'}: {verdict.why}"
    may = ", ".join(actions_of(verdicts)) or "do nothing: for it there is no such queue"
    yield f"so on {queue}, {service} may {may}"
