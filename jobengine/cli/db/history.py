"""`jobengine db history`."""

from typing import TYPE_CHECKING, Annotated

import typer

from jobengine.cli.db.options import Database, Json, answer, database_of, iso, secret_of_environment

if TYPE_CHECKING:
    from jobengine.journal.job_history import Event, JobHistory


def history(
    job: Annotated[str, typer.Option(metavar="UID", help="The uid of the job.")],
    queue: Annotated[str | None, typer.Option(help="Its queue; else all queues.")] = None,
    db: Database = None,
    json: Json = False,  # noqa: FBT002 - an option
) -> None:
    """Tell every recorded state of one job, the oldest first; exits with 1 when there is none.

    A server may be using the file meanwhile. Needs SECRET or SECRET_FILE in the environment.
    """
    from jobengine.cli.db.progress import progress
    from jobengine.journal.files import old_paths
    from jobengine.journal.job_history import job_history
    from jobengine.journal.reading import READING_FILES

    path, secret = database_of(db), secret_of_environment()
    sizes = [each.stat().st_size for each in (path, *old_paths(READING_FILES, path)) if each.exists()]
    with progress("reading", sum(sizes)) as told:
        found = job_history(path, secret, job, queue=queue, progress=told)
    answer(_document(job, found), _lines(job, found), as_json=json)
    if not found.events:
        raise typer.Exit(1)


def _document(uid: str, found: "JobHistory") -> dict[str, object]:
    reach = found.reaches_back_to
    return {
        "uid": uid,
        "reaches_back_to": {"sequence": reach.sequence, "time": iso(reach.time)},
        "events": [_event(event) for event in found.events],
    }


def _event(event: "Event") -> dict[str, object]:
    document: dict[str, object] = {
        "sequence": event.sequence,
        "time": iso(event.time),
        "what": event.what,
        "queue": event.queue,
        "state": "gone",
    }
    if (job := event.job) is not None:
        document |= {
            "state": job.state.value,
            "priority": job.priority,
            "attempt": job.attempt,
            "claimer": job.claimer,
            "expires": iso(job.expires),
            "lease_ends": iso(job.lease_ends),
        }
    return document


def _lines(uid: str, found: "JobHistory") -> list[str]:
    reach = found.reaches_back_to
    span = f"as far back as commit {reach.sequence} of {iso(reach.time)}"
    if not found.events:
        return [f"Nothing is recorded of job {uid}, {span}."]
    return [*(_line(event) for event in found.events), f"This goes {span}."]


def _line(event: "Event") -> str:
    start = f"{iso(event.time)}  {event.sequence:>10}  {event.what:<16}  {event.queue}"
    if (job := event.job) is None:
        return start
    claimer = f", claimer {job.claimer}" if job.claimer is not None else ""
    lease = f", lease ends {iso(job.lease_ends)}" if job.lease_ends else ""
    return (
        f"{start}  {job.state}, priority {job.priority}, attempt {job.attempt}{claimer}, "
        f"expires {iso(job.expires)}{lease}"
    )
