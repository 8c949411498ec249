"""The first job, handed to the service that asks."""

from msgspec.structs import replace

from jobengine.model.changes import move
from jobengine.model.commands import Answer, Claim
from jobengine.model.decision import Decision
from jobengine.model.moment import Moment
from jobengine.model.rules.passing import touched
from jobengine.model.states import Event, after
from jobengine.model.view import View


def claim(view: View, command: Claim, moment: Moment) -> Decision[Answer]:
    """Hand out the first job that is alive, or nothing. Raises NotFound."""
    queue = view.queue(command.queue)
    job = view.first_queued(command.queue, moment.now)
    if job is None:
        return Decision((), None)
    claimed = replace(
        job,
        state=after(job.state, Event.CLAIM),
        updated=touched(job, moment.now),
        lease_ends=moment.now + queue.lease,
        attempt=job.attempt + 1,
        claimer=command.claimer,
    )
    return Decision((move(claimed),), claimed)
