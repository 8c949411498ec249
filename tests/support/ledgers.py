"""All that a ledger holds, as plain values that can be compared."""

from collections.abc import Iterator
from typing import Any

from jobengine.model.contents import Contents
from jobengine.model.job import NEVER
from jobengine.model.ledger import Ledger
from jobengine.model.order import LIVING

NEVER_MS = 1 << 60


def everything(ledger: Ledger) -> dict[str, Any]:
    """Queues, jobs and every index over them. The ledger must be indexed."""
    held = {queue.name: _contents(ledger, queue.name) for queue in ledger.queues()}
    keys = ledger.keys.behind(0, len(ledger.keys))
    return {"queues": held, "keys": keys, "bytes": ledger.totals.bytes}


def _lasting(contents: Contents) -> Iterator[tuple[str, str]]:
    """The unique keys without a window: one that is over is forgotten by a look, not by a change."""
    for key, ends in contents.uniques._ends.items():
        yield from ((key, uid) for uid, end in ends.items() if end == NEVER)


def _contents(ledger: Ledger, name: str) -> dict[str, Any]:
    contents = ledger.contents(name)
    return {
        "queue": contents.queue,
        "jobs": dict(contents.jobs),
        "logs": dict(contents.logs),
        "order": list(contents.order.after(-1)),
        "counts": {state: contents.order.count(state) for state in LIVING},
        "queued_bytes": contents.queued_bytes,
        "uniques": sorted(_lasting(contents)),
        "deadlines": sorted(job.uid for job in contents.deadlines.due(contents.queue, NEVER_MS)),
    }
