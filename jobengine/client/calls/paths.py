"""The paths of API v2."""

from collections.abc import Sequence
from urllib.parse import quote, urlencode


def queue_path(queue: str, *rest: str) -> str:
    """Of a queue, or of something in it."""
    return "/queues/" + "/".join(quote(part, safe="") for part in (queue, *rest))


def job_path(queue: str, uid: str, *rest: str) -> str:
    """Of a job, or of something that is done to it."""
    return queue_path(queue, "jobs", uid, *rest)


def query(**parts: str | int | None) -> str:
    """What stands behind the path, if anything does."""
    named = {name: part for name, part in parts.items() if part is not None}
    return f"?{urlencode(named)}" if named else ""


def words(names: str | Sequence[str] | None) -> list[str] | None:
    """One name is a list of it."""
    return [names] if isinstance(names, str) else None if names is None else list(names)
