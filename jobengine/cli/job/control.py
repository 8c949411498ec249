"""`jobengine job retry, stop, halt, resume, delete`: jobs by their uids, or all that a filter names."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from jobengine.cli.asking import REFUSED_EXIT_CODE, Asking, QueueName, say_refusal
from jobengine.cli.output import jobs_text
from jobengine.cli.usage import WrittenWrong

if TYPE_CHECKING:
    from jobengine.client.results import Bulk

Uids = Annotated[list[str] | None, typer.Argument(metavar="[UID]...", help="The uids of the jobs.")]
Filter = Annotated[
    str | None, typer.Option("--filter", help="In place of uids: all such jobs, as in: error ~ timeout")
]
States = Annotated[
    str | None, typer.Option("--state", help="In place of uids, or with --filter: all in these states.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Of many: only say how many there are.")]


def retry(
    asking: Asking,
    queue: QueueName,
    uids: Uids = None,
    where: Filter = None,
    state: States = None,
    dry_run: DryRun = False,  # noqa: FBT002
) -> None:
    """Queue jobs again that have ended; let those that wait for a time wait no longer."""
    _do(asking, "retry", asking.client.retry, queue, uids, where, state, dry_run=dry_run)


def stop(
    asking: Asking,
    queue: QueueName,
    uids: Uids = None,
    where: Filter = None,
    state: States = None,
    dry_run: DryRun = False,  # noqa: FBT002
) -> None:
    """Stop jobs: those that are queued fail; of those in progress, the holder is asked to stop."""
    _do(asking, "stop", asking.client.stop, queue, uids, where, state, dry_run=dry_run)


def halt(
    asking: Asking,
    queue: QueueName,
    uids: Uids = None,
    where: Filter = None,
    state: States = None,
    dry_run: DryRun = False,  # noqa: FBT002
) -> None:
    """Halt jobs: those that are queued are not handed out; of those in progress, the holder is asked to."""
    _do(asking, "halt", asking.client.halt, queue, uids, where, state, dry_run=dry_run)


def resume(
    asking: Asking,
    queue: QueueName,
    uids: Uids = None,
    where: Filter = None,
    state: States = None,
    dry_run: DryRun = False,  # noqa: FBT002
) -> None:
    """Let jobs go on that are halted."""
    _do(asking, "resume", asking.client.resume, queue, uids, where, state, dry_run=dry_run)


def delete(
    asking: Asking,
    queue: QueueName,
    uids: Uids = None,
    where: Filter = None,
    state: States = None,
    dry_run: DryRun = False,  # noqa: FBT002
) -> None:
    """Remove jobs, whatever their state."""
    _do(asking, "delete", asking.client.delete, queue, uids, where, state, dry_run=dry_run)


def _do(
    asking: Asking,
    action: str,
    one: Callable[[str, str], object],
    queue: str,
    uids: list[str] | None,
    where: str | None,
    state: str | None,
    *,
    dry_run: bool,
) -> None:
    is_bulk = where is not None or state is not None
    if is_bulk == bool(uids) or (dry_run and not is_bulk):
        raise WrittenWrong("name the jobs by their uids, or all at once by --filter or --state")
    if is_bulk:
        _bulk(asking, action, queue, where, state, dry_run=dry_run)
        return
    refused: list[str] = []
    done = _one_by_one(partial(one, queue), uids or (), refused)
    asking.show_each(
        ({"uid": uid, "action": action} for uid in done), lambda each: f"{each['uid']}: {action}: done"
    )
    if refused:
        raise typer.Exit(REFUSED_EXIT_CODE)


def _one_by_one(do: Callable[[str], object], uids: Iterable[str], refused: list[str]) -> Iterator[str]:
    """The uids of those for which it is done. One that is refused is told, and does not hinder the others."""
    from jobengine.errors import Fatal, JobEngineError

    for uid in uids:
        try:
            do(uid)
        except Fatal:
            raise  # so it would be for all of them
        except JobEngineError as refusal:
            say_refusal(refusal, of=f"{uid}: ")
            refused.append(uid)
        else:
            yield uid


def _bulk(
    asking: Asking, action: str, queue: str, where: str | None, state: str | None, *, dry_run: bool
) -> None:
    from jobengine.cli.db.progress import progress

    total = sum(asking.client.queue(queue).jobs.values())
    with progress(action, total, in_jobs=True) as told:
        done = asking.client.bulk(
            queue,
            action,
            filter=where,
            state=None if state is None else state.split(","),
            dry_run=dry_run,
            on_slice=lambda so_far: told(so_far.matched),
        )
    asking.show(done, _lines(done, action, dry_run=dry_run))
    if done.refused:
        raise typer.Exit(REFUSED_EXIT_CODE)


def _lines(done: "Bulk", action: str, *, dry_run: bool) -> list[str]:
    if dry_run:
        return [f"{action}: {jobs_text(done.matched)} would be tried; nothing was changed"]
    refused = f", {done.refused} refused" if done.refused else ""
    return [
        f"{action}: done for {done.changed} of {jobs_text(done.matched)}{refused}",
        *(f"  {each.uid}: {each.detail}" for each in done.problems[:10]),
    ]
