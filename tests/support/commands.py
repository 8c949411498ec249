"""Commands about one job, and their answers, in the short form that most tests want."""

from typing import Any

from jobengine.errors import JobEngineError
from jobengine.model.blob import Blob
from jobengine.model.commands import Act, Control, Create, Created, Draft, Options
from jobengine.model.job import Job


def create(
    queue: str, content: bytes | Blob, priority: int, valid_for: int | None, options: Options | None = None
) -> Create:
    """Make one job."""
    return Create(queue, (Draft(content, priority, valid_for, options),))


def delete(queue: str, uid: str) -> Control:
    """Remove one job."""
    return Control(queue, (uid,), Act.DELETE)


def only_job(answer: Any) -> Job | None:
    """The job of an answer about one job; None when none was handed out. Raises what it was refused with."""
    if isinstance(answer, Job):
        return answer
    found = answer.jobs if isinstance(answer, Created) else answer
    if not found:
        return None
    (job,) = found
    if isinstance(job, JobEngineError):
        raise job
    return job


def plain(answer: Any) -> Any:
    """The answer, and when it is about one job, that job."""
    return only_job(answer) if isinstance(answer, Created | tuple) else answer
