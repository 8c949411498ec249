"""A new job."""

from jobengine.errors import QueueFull
from jobengine.model.changes import PutJob
from jobengine.model.commands import Answer, Create
from jobengine.model.decision import Decision
from jobengine.model.job import Job, order_of, weight
from jobengine.model.moment import Moment
from jobengine.model.states import Event, State, after
from jobengine.model.view import View


def create(view: View, command: Create, moment: Moment) -> Decision[Answer]:
    """Put the job behind those of its priority. Raises NotFound, QueueFull."""
    now = moment.now
    job = Job(
        moment.uid(),
        view.queue(command.queue).name,
        after(State.GONE, Event.CREATE),
        order_of(priority=command.priority, arrival=view.next_arrival),
        command.content,
        created=now,
        updated=now,
        expires=now + command.valid_for,
    )
    if not view.has_room_for(weight(job)):
        raise QueueFull("the jobs take all the memory that limits.memory allows")
    return Decision((PutJob(job),), job)
