"""`jobengine db repair`."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Final

import typer

from jobengine.cli.db.options import Database, Json, answer, database_of, secret_of_environment
from jobengine.cli.usage import WrittenWrong

if TYPE_CHECKING:
    from jobengine.journal.repair import Repaired
    from jobengine.journal.salvage import Name

_MOST_SHOWN: Final = 20  # jobs of each kind; --json tells all


def repair(
    db: Database = None,
    accept_loss: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--accept-loss", help="Put the repaired file in place, and keep the damaged one.")
    ] = False,
    name: Annotated[
        list[str] | None,
        typer.Option(metavar="QUEUE-N=NAME", help="The name of a queue whose own is lost; may be repeated."),
    ] = None,
    json: Json = False,  # noqa: FBT002 - an option
) -> None:
    """Say what of a damaged database can be kept and what is lost, and with --accept-loss repair it.

    No server may be running. Exits with 65 when there is damage and the file was left as it is. Needs SECRET
    or SECRET_FILE in the environment.
    """
    from jobengine.cli.db.progress import progress
    from jobengine.errors import Damaged
    from jobengine.journal.owner import OwnedFiles
    from jobengine.journal.repair import Repairing

    path, names = database_of(db), names_of(name or ())
    with progress("reading", path.stat().st_size if path.exists() else 0) as told:
        repairing = Repairing(path, secret_of_environment(), files=OwnedFiles(path), names=names)
        repaired = repairing.run(accept_loss=accept_loss, progress=told)
    answer(_document(repaired), _lines(repaired), as_json=json)
    if repaired.findings and repaired.kept is None:
        raise typer.Exit(Damaged.exit_code)


def names_of(given: "Iterable[str]") -> dict[str, str]:
    """What --name says. A wrong one is a mistake of usage."""
    names = {}
    for each in given:
        stand_in, _, name = each.partition("=")
        if not stand_in or not name:
            raise WrittenWrong(f"--name: {each} is not of the form queue-0=mail")
        names[stand_in] = name
    return names


def _document(repaired: "Repaired") -> dict[str, object]:
    import msgspec

    document: dict[str, object] = msgspec.to_builtins(
        {name: getattr(repaired, name) for name in repaired.__struct_fields__ if name not in ("path", "kept")}
    )
    kept = repaired.kept and str(repaired.kept)
    return {"path": str(repaired.path), "installed": kept is not None, "kept": kept, **document}


def _lines(repaired: "Repaired") -> list[str]:
    if not repaired.findings:
        return [f"{repaired.path}: nothing to repair; {repaired.jobs_kept} jobs"]
    return [
        *(finding.detail for finding in repaired.findings),
        f"Frames missing: {repaired.commits_missing}. Jobs that are kept: {repaired.jobs_kept}.",
        *_jobs("Lost, since their content is gone", repaired.lost),
        *_jobs("Lost, since their big value is damaged", repaired.without_value),
        *_jobs("Kept, but not what they have written: it is damaged", repaired.without_log),
        *_jobs(
            "Kept, but they may have changed in what is missing: what they hold may be outdated",
            repaired.uncertain,
        ),
        *(
            f"Queue {queue}: its settings are lost; the next start sets them."
            for queue in repaired.guessed_queues
        ),
        *map(_nameless, repaired.nameless_queues),
        *_unnamed(repaired),
        _outcome(repaired),
    ]


def _nameless(queue: str) -> str:
    number = queue.removeprefix("queue-")
    return (
        f"Queue number {number}: its name is lost, so its jobs are kept as {queue}. Repair with --name "
        f"{queue}=NAME, or name {queue} in the configuration before the next start, or it drops them."
    )


def _jobs(what: str, names: "Iterable[Name]") -> list[str]:
    names = list(names)
    if not names:
        return []
    shown = [f"  {name.queue} {name.uid}" for name in names[:_MOST_SHOWN]]
    if len(names) > _MOST_SHOWN:
        shown.append(f"  and {len(names) - _MOST_SHOWN} more: --json names all")
    return [f"{what}: {len(names)}", *shown]


def _unnamed(repaired: "Repaired") -> list[str]:
    if not repaired.commits_missing:
        return []
    return ["Jobs that were made in what is missing, and are named nowhere else, cannot be told."]


def _outcome(repaired: "Repaired") -> str:
    if repaired.kept is None:
        return (
            "Nothing was changed. A copy (jobengine db restore) may lose less; "
            "jobengine db repair --accept-loss keeps what is named above, and the damaged file beside it."
        )
    return f"Repaired. The damaged file is kept as {repaired.kept.name}."
