"""All routes of API v2, in one table: what each does, takes and answers, and by which rule of `access`.

The OpenAPI document is made of this table; what is not in it is not served.
"""

from collections.abc import Iterator
from typing import Any, Final

from jobengine.access import Action
from jobengine.web.problems import V2_STATUSES
from jobengine.web.routes import Description, Route
from jobengine.web.v2 import answers
from jobengine.web.v2.administering import Administering, QueueBody
from jobengine.web.v2.amending import AmendBody, Amending
from jobengine.web.v2.broker import Broker
from jobengine.web.v2.claiming import ClaimAnyBody, ClaimBody, Claiming
from jobengine.web.v2.controlling import CloneBody, Controlling, MoveBody, NothingBody
from jobengine.web.v2.creating import Creating
from jobengine.web.v2.drafts import NewJob, NewJobs
from jobengine.web.v2.listing import Listing, ListQuery
from jobengine.web.v2.looking import GetQuery, Looking
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

BASE: Final = "/api/v2"
QUEUES: Final = f"{BASE}/queues"
QUEUE: Final = f"{QUEUES}/{{queue}}"
JOBS: Final = f"{QUEUE}/jobs"
JOB: Final = f"{JOBS}/{{uid}}"

_MADE: Final = (
    answers.JobView | answers.JobsView | answers.UidView | answers.UidsView | answers.GoneView
)


def routes(broker: Broker) -> Iterator[Route]:
    """All of them."""
    for method, path, action, answer, description in (
        *_of_jobs(broker),
        *_of_holders(broker),
        *_of_writers(broker),
        *_of_queues(broker),
    ):
        yield Route(method, path, action, answer, statuses=V2_STATUSES, description=description)


Row = tuple[str, str, Action | None, Any, Description]
