"""A queue that is paused, drained, or goes on."""

from msgspec.structs import replace

from jobengine.errors import BadState
from jobengine.model.changes import PutQueue
from jobengine.model.commands import Answer, Steer
from jobengine.model.decision import Decision
from jobengine.model.view import View


def steer(view: View, command: Steer) -> Decision[Answer]:
    """Change what the command names. Raises NotFound, BadState."""
    queue = view.queue(command.queue)
    if command.is_paused is False and queue.is_paused:
        raise BadState("the configuration says `paused: true`: change it there")
    steered = replace(
        queue,
        is_paused_by_hand=queue.is_paused_by_hand if command.is_paused is None else command.is_paused,
        is_draining=queue.is_draining if command.is_draining is None else command.is_draining,
    )
    return Decision(() if steered == queue else (PutQueue(steered),), steered)
