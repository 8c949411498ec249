"""What is due, done for many jobs at once."""

from collections import Counter
from itertools import count

from jobengine.model.changes import Change, DropJob, DropKeys
from jobengine.model.commands import Answer, Sweep, Swept
from jobengine.model.decision import Decision
from jobengine.model.job import Job
from jobengine.model.moment import Moment
from jobengine.model.rules.failing import stored
from jobengine.model.rules.log import oldest_logs
from jobengine.model.rules.passing import passed
from jobengine.model.states import Event, State
from jobengine.model.view import View


def sweep(view: View, command: Sweep, moment: Moment) -> Decision[Answer]:
    """Bring the jobs whose deadline has come to where time has left them."""
    events: Counter[Event] = Counter()
    changes: list[Change] = []
    arrivals = count(view.next_arrival)
    released: dict[str, list[Job]] = {}  # by queue: whose leases are over
    uids: set[str] = set()
    for before in view.due(moment.now, command.most, command.queue):
        if (
            before.uid in uids
        ):  # of another queue: both might become dead letters of a third, the one over the other
            continue
        uids.add(before.uid)
        job, happened = passed(before, view.queue(before.queue), moment.now)
        events.update(happened)
        if before.state is State.INPROGRESS:
            released.setdefault(job.queue, []).append(job)
        if job.state is State.GONE:
            changes.append(DropJob(job.queue, job.uid))
        else:
            changes += stored(view, before, job, arrivals)
    for name, jobs in released.items():
        changes += oldest_logs(view, view.queue(name), jobs, changes)
    outdated = view.outdated_keys(moment.now, command.most)
    if outdated is not None:
        changes.append(DropKeys(outdated))
    swept = Swept(
        expired=events[Event.EXPIRE] + events[Event.EXPIRE_KEPT],
        timed_out=events[Event.TIME_OUT] + events[Event.EXPIRE_LATE] + events[Event.STOP],
        retried=events[Event.RETRY],
        forgotten=events[Event.FORGET],
    )
    return Decision(tuple(changes), swept)
