"""What is due, done for many jobs at once."""

from collections import Counter

from jobengine.model.changes import Change, DropJob, move
from jobengine.model.commands import Answer, Sweep, Swept
from jobengine.model.decision import Decision
from jobengine.model.moment import Moment
from jobengine.model.rules.passing import passed
from jobengine.model.states import Event, State
from jobengine.model.view import View


def sweep(view: View, command: Sweep, moment: Moment) -> Decision[Answer]:
    """Bring the jobs whose deadline has come to where time has left them."""
    events: Counter[Event] = Counter()
    changes: list[Change] = []
    for stored in view.due(moment.now, command.most, command.queue):
        job, happened = passed(stored, view.queue(stored.queue), moment.now)
        events.update(happened)
        changes.append(DropJob(job.queue, job.uid) if job.state is State.GONE else move(job))
    swept = Swept(
        expired=events[Event.EXPIRE],
        timed_out=events[Event.TIME_OUT] + events[Event.EXPIRE_LATE],
        retried=events[Event.RETRY],
        forgotten=events[Event.FORGET],
    )
    return Decision(tuple(changes), swept)
