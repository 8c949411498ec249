"""`jobengine queue list, info`."""

from typing import TYPE_CHECKING

from jobengine.cli.asking import Asking, QueueName, Watch

if TYPE_CHECKING:
    from jobengine.client.results import Queue

_STATES = ("queued", "inprogress", "complete", "failed")


def list_(asking: Asking, watch: Watch = False) -> None:  # noqa: FBT002
    """Tell the queues on which you have a right."""

    def look() -> None:
        heads = ("QUEUE", *map(str.upper, _STATES), "OLDEST", "")
        asking.show_all(asking.client.queues(), heads, _row)

    asking.again(look, watch=watch)


def info(asking: Asking, queue: QueueName, watch: Watch = False) -> None:  # noqa: FBT002
    """Tell all that there is to say of a queue, its settings too."""

    def look() -> None:
        found = asking.client.queue(queue)
        asking.show(found, lines_of(found))

    asking.again(look, watch=watch)


def lines_of(queue: "Queue") -> list[str]:
    """A queue for people."""
    from jobengine.cli.db.options import size, table
    from jobengine.cli.output import one_line

    return table(
        [
            ("queue", f"{queue.name}{_how(queue)}"),
            ("made by", f"the {'API' if queue.origin == 'api' else 'configuration'}"),
            *((state, str(queue.jobs.get(state, 0))) for state in _STATES),
            ("not yet to be handed out", str(queue.held)),
            ("contents of the queued", size(queue.queued_bytes)),
            ("oldest queued", f"{queue.oldest_queued_seconds:g} s"),
            *((name, one_line(value).strip('"')) for name, value in queue.settings.items()),
        ]
    )


def _row(queue: "Queue") -> tuple[str, ...]:
    counts = (str(queue.jobs.get(state, 0)) for state in _STATES)
    return (queue.name, *counts, f"{queue.oldest_queued_seconds:.0f}s", _how(queue).strip(" ()"))


def _how(queue: "Queue") -> str:
    said = [word for word, holds in (("paused", queue.paused), ("draining", queue.draining)) if holds]
    return f" ({', '.join(said)})" if said else ""
