"""A job removed by hand."""

from jobengine.model.changes import DropJob
from jobengine.model.commands import Answer, Delete
from jobengine.model.decision import Decision
from jobengine.model.moment import Moment
from jobengine.model.rules.passing import current
from jobengine.model.view import View


def delete(view: View, command: Delete, moment: Moment) -> Decision[Answer]:
    """Remove the job, whatever its state. Raises NotFound."""
    job = current(view, command.queue, command.uid, moment)
    return Decision((DropJob(command.queue, command.uid),), job)
