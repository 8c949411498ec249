"""What is due, done for many jobs at once."""

from collections import Counter
from itertools import count

from jobengine.model.changes import Change, DropJob, DropKeys
from jobengine.model.commands import Answer, Sweep, Swept
from jobengine.model.decision import Decision
from jobengine.model.job import Job
from jobengine.model.moment import Moment
from jobengine.model.rules.failing import dead_letter_of, stored
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
    letters: set[tuple[str, str]] = set()  # dead ones: the queue that takes it, and its uid
    for before in view.due(moment.now, command.most, command.queue):
        job, happened = passed(before, view.queue(before.queue), moment.now)
        if (grave := dead_letter_of(view, before, job)) is not None:
            if (grave, job.uid) in letters:
                continue  # of another queue, and would lie over it: the next sweep leaves it where it is
            letters.add((grave, job.uid))
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
