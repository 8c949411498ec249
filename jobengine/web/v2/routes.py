"""All routes of API v2, in one table: what each does, takes and answers, and by which rule of `access`.

The OpenAPI document is made of this table; what is not in it is not served.
"""

from collections.abc import Iterator
from typing import Final

from jobengine.access import Action
from jobengine.web.problems import V2_STATUSES
from jobengine.web.routes import Answer, Description, Route, Text
from jobengine.web.v2 import answers
from jobengine.web.v2.administering import Administering
from jobengine.web.v2.amending import AmendBody, Amending
from jobengine.web.v2.broker import Broker
from jobengine.web.v2.claiming import ClaimAnyBody, ClaimBody, Claiming
from jobengine.web.v2.controlling import CloneBody, Controlling, MoveBody, NothingBody
from jobengine.web.v2.creating import Creating
from jobengine.web.v2.drafts import NewJob, NewJobs
from jobengine.web.v2.listing import Listing, ListQuery
from jobengine.web.v2.logs import AppendQuery, Logs, ReadQuery
from jobengine.web.v2.looking import GetQuery, Looking
from jobengine.web.v2.queue_options import QueueOptions
from jobengine.web.v2.settlements import (
    CompleteBody,
    ExtendBody,
    FailBody,
    ProgressBody,
    ReleaseBody,
    SettleBody,
)
from jobengine.web.v2.settling import Settling
from jobengine.web.v2.slices import BulkBody, PurgeBody, RedriveBody, Slices
from jobengine.web.v2.workers import Working

BASE: Final = "/api/v2"
QUEUES: Final = f"{BASE}/queues"
QUEUE: Final = f"{QUEUES}/{{queue}}"
JOBS: Final = f"{QUEUE}/jobs"
JOB: Final = f"{JOBS}/{{uid}}"

_MADE: Final = answers.JobView | answers.MadeView | answers.UidView | answers.UidsView | answers.GoneView
Row = tuple[str, str, Action, Answer, Description]


def routes(broker: Broker) -> Iterator[Route]:
    """All of them."""
    for each in (_of_jobs, _of_holders, _of_logs, _of_writers, _of_queues):
        for method, path, action, answer, description in each(broker):
            yield Route(method, path, action, answer, statuses=V2_STATUSES, description=description)


def _of_jobs(broker: Broker) -> Iterator[Row]:
    creating, listing, looking = Creating(broker), Listing(broker), Looking(broker)
    claiming = Claiming(broker)
    yield (
        "POST",
        JOBS,
        Action.CREATE,
        creating.create,
        Description(
            "Create one job, or a list of them: all or none",
            body=NewJob | NewJobs,
            answers={201: _MADE, 200: _MADE},
            headers=("Idempotency-Key", "Prefer"),
        ),
    )
    yield (
        "GET",
        JOBS,
        Action.LIST,
        listing.list_jobs,
        Description("List jobs, page by page", answers={200: answers.PageView}, query=ListQuery),
    )
    yield (
        "GET",
        JOB,
        Action.GET,
        looking.get,
        Description("One job, or its end", answers={200: answers.JobView}, query=GetQuery),
    )
    yield (
        "GET",
        f"{JOB}/why",
        Action.GET,
        looking.why,
        Description("What keeps a job from being handed out", answers={200: answers.WhyView}),
    )
    yield (
        "POST",
        f"{QUEUE}/claim",
        Action.CLAIM,
        claiming.claim,
        Description(
            "Claim jobs, or wait for some", body=ClaimBody, answers={200: answers.JobsView, 204: None}
        ),
    )
    yield (
        "POST",
        f"{BASE}/claim",
        Action.CLAIM,
        claiming.claim_any,
        Description(
            "Claim jobs of several queues", body=ClaimAnyBody, answers={200: answers.JobsView, 204: None}
        ),
    )


def _of_holders(broker: Broker) -> Iterator[Row]:
    settling = Settling(broker)
    yield (
        "POST",
        f"{QUEUE}/settle",
        Action.SETTLE,
        settling.settle,
        Description(
            "Say something of many claimed jobs, of each by itself",
            body=SettleBody,
            answers={200: answers.ResultsView},
            headers=("Prefer",),
        ),
    )
    for verb, answer, body, summary in (
        ("complete", settling.complete, CompleteBody, "A claimed job is done"),
        ("fail", settling.fail, FailBody, "A claimed job did not work"),
        ("release", settling.release, ReleaseBody, "Give a claimed job back: this was no attempt"),
        ("extend", settling.extend, ExtendBody, "A claimed job is still being done"),
        ("progress", settling.progress, ProgressBody, "How far a claimed job has come"),
    ):
        description = Description(summary, body=body, answers={200: answers.JobView})
        yield "POST", f"{JOB}/{verb}", Action.SETTLE, answer, description


def _of_logs(broker: Broker) -> Iterator[Row]:
    logs, working = Logs(broker), Working(broker)
    yield (
        "POST",
        f"{JOB}/log",
        Action.SETTLE,
        logs.append,
        Description(
            "Append to the log of a claimed job",
            octets=True,
            answers={204: None},
            query=AppendQuery,
            headers=("X-Lease",),
        ),
    )
    yield (
        "GET",
        f"{JOB}/log",
        Action.FOLLOW,
        logs.read,
        Description(
            "What a job has written: in lines, one stream as plain text, or with follow=1 as events",
            answers={200: Text("application/x-ndjson", ("text/plain", "text/event-stream"))},
            query=ReadQuery,
            headers=("Last-Event-ID",),
        ),
    )
    yield (
        "GET",
        f"{BASE}/workers",
        Action.LOOK,
        working.list_workers,
        Description(
            "The workers of the last ten minutes",
            answers={200: answers.WorkersView},
            rights="Shows those on queues of which the caller has the right `read` or `admin`.",
        ),
    )


def _of_writers(broker: Broker) -> Iterator[Row]:
    amending, controlling, slices = Amending(broker), Controlling(broker), Slices(broker)
    if_match = ("If-Match",)
    yield (
        "PATCH",
        JOB,
        Action.AMEND,
        amending.amend,
        Description("Change a job", body=AmendBody, answers={200: answers.JobView}, headers=if_match),
    )
    yield (
        "DELETE",
        JOB,
        Action.DELETE,
        amending.delete,
        Description("Remove a job", answers={204: None}, headers=if_match),
    )
    for verb, answer, body, status, summary in (
        ("stop", controlling.stop, NothingBody, 200, "Stop a job: it fails"),
        ("halt", controlling.halt, NothingBody, 200, "Hold a job back"),
        ("resume", controlling.resume, NothingBody, 200, "Hold a job back no more"),
        ("retry", controlling.retry, NothingBody, 200, "Queue a job again"),
        ("move", controlling.move, MoveBody, 200, "Move a job to another queue"),
        ("clone", controlling.clone, CloneBody, 201, "Make another job like this one"),
    ):
        description = Description(summary, body=body, answers={status: answers.JobView}, headers=if_match)
        yield "POST", f"{JOB}/{verb}", Action.CONTROL, answer, description
    yield (
        "POST",
        f"{BASE}/jobs/bulk",
        Action.CONTROL,
        slices.bulk,
        Description(
            "Do something to many jobs, slice by slice", body=BulkBody, answers={200: answers.BulkView}
        ),
    )


def _of_queues(broker: Broker) -> Iterator[Row]:
    administering, slices = Administering(broker), Slices(broker)
    shown = {200: answers.QueueView}
    yield (
        "GET",
        QUEUES,
        Action.LOOK,
        administering.list_queues,
        Description(
            "The queues on which the caller has a right",
            answers={200: answers.QueuesView},
            rights="Shows no others, and needs none.",
        ),
    )
    yield "GET", QUEUE, Action.LOOK, administering.get, Description("One queue", answers=shown)
    yield (
        "PUT",
        QUEUE,
        Action.CONFIGURE,
        administering.put,
        Description(
            "Make a queue, or change it", body=QueueOptions, answers={201: answers.QueueView, **shown}
        ),
    )
    yield (
        "DELETE",
        QUEUE,
        Action.CONFIGURE,
        administering.drop,
        Description("Drop a queue with its jobs", answers={204: None}),
    )
    for verb, answer, summary in (
        ("pause", administering.pause, "Hand out no job of a queue"),
        ("resume", administering.resume, "Hand out jobs of a queue again, and take new ones"),
        ("drain", administering.drain, "Take no new job into a queue"),
    ):
        description = Description(summary, body=NothingBody, answers=shown)
        yield "POST", f"{QUEUE}/{verb}", Action.STEER, answer, description
    changed = {200: answers.ChangedView}
    yield (
        "POST",
        f"{QUEUE}/purge",
        Action.PURGE,
        slices.purge,
        Description("Remove jobs of a queue, slice by slice", body=PurgeBody, answers=changed),
    )
    yield (
        "POST",
        f"{QUEUE}/redrive",
        Action.REDRIVE,
        slices.redrive,
        Description(
            "Send dead letters back to where they died, slice by slice", body=RedriveBody, answers=changed
        ),
    )
