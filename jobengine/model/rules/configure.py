"""The queues that there are: the configuration is king."""

from msgspec.structs import replace

from jobengine.model.changes import Change, DropQueue, PutQueue
from jobengine.model.commands import Answer, Configure, Configured
from jobengine.model.decision import Decision
from jobengine.model.queue import Queue
from jobengine.model.view import View


def configure(view: View, command: Configure) -> Decision[Answer]:
    """Make, change and drop queues until they are those of the command."""
    present = {queue.name: queue for queue in view.queues()}
    wanted = {queue.name: _steered(queue, present.get(queue.name)) for queue in command.queues}
    added = [name for name in wanted if name not in present]
    changed = [name for name in wanted if name in present and wanted[name] != present[name]]
    dropped = {name: view.count(name) for name in present if name not in wanted}
    changes: list[Change] = [DropQueue(name) for name in dropped]
    changes += [PutQueue(wanted[name]) for name in (*added, *changed)]
    return Decision(tuple(changes), Configured(tuple(added), tuple(changed), dropped))


def _steered(queue: Queue, present: Queue | None) -> Queue:
    """The queue as it is configured, and as it was steered by hand."""
    if present is None or not (present.is_paused_by_hand or present.is_draining):
        return queue
    return replace(queue, is_paused_by_hand=present.is_paused_by_hand, is_draining=present.is_draining)
