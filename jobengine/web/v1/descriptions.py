"""The routes of API v1 for those who read about them."""

from typing import Final

from jobengine.web.routes import Description
from jobengine.web.v1.answers import JobOfV1, ListQuery, Well
from jobengine.web.v1.bodies import CreateBody, UpdateBody

_QUEUE: Final = ("X-Queue",)

TEST: Final = Description("Is the server there?", answers={200: Well})
CREATE: Final = Description("Create a job", body=CreateBody, answers={201: JobOfV1}, headers=_QUEUE)
CLAIM: Final = Description("Claim the next job", answers={200: JobOfV1, 204: None}, headers=_QUEUE)
LIST: Final = Description(
    "All jobs, by their place in the queue",
    answers={200: dict[str, JobOfV1], 204: None},
    query=ListQuery,
    headers=(*_QUEUE, "X-Status-Filter"),
)
GET: Final = Description("One job", answers={200: JobOfV1}, headers=_QUEUE)
UPDATE: Final = Description(
    "Change a job: it is done, it failed, or it is another one now",
    body=UpdateBody,
    answers={200: JobOfV1},
    headers=_QUEUE,
)
DELETE: Final = Description("Remove a job", answers={204: None}, headers=_QUEUE)
