"""The Job Manager's routes: jobs of Python classes, halted and resumed by GET, as its document has it."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from jobengine.access import Action
from jobengine.errors import BadState, JobEngineError, NotFound, ValidationFailed
from jobengine.facades.front import (
    Front,
    field,
    is_told,
    legal_uid,
    progress_of,
    read_object,
    route,
    shown,
    status_of,
)
from jobengine.model.commands import Act, Control, Create, Draft, only
from jobengine.model.extra import Reason
from jobengine.model.job import Job
from jobengine.model.states import State
from jobengine.web.openapi.door import Docs
from jobengine.web.reply import Reply
from jobengine.web.request import Request
from jobengine.web.routes import Answer, Description, Route, Variables

SUCCESS: Final = "Success"
PRIORITY: Final = 50
_PAGES: Final = ("/swagger/", "/swagger/index.html")


class Submission(Struct, rename={"type": "Type"}):
    """A job to be made."""

    type: str  # the name of a class that the configuration names
    args: dict[str, Any] = {}


class Submitted(Struct):
    """A job, as it is."""

    jobID: str  # noqa: N815 - as its document has it
    message: str
    details: dict[str, Any]


class JobManager:
    """POST /submit; GET /halt, /resume, /stop and /details of a job."""

    def __init__(self, front: Front, classes: Iterable[str]) -> None:
        self._front = front
        self._classes = sorted(classes)

    def routes(self) -> Iterator[Route]:
        """As documented, and the page that shows them."""
        own = tuple(self._own_routes())
        yield from own
        told = [replace(each, action=None) for each in own]  # who asks is known without X-Name
        yield from Docs(told, under="/swagger", pages=_PAGES).routes()

    def _own_routes(self) -> Iterator[Route]:
        shown_ = {200: Submitted}
        made = Description("Make a job, and have it run", body=Submission, answers=shown_)
        yield route("POST", "/submit", Action.CREATE, self.submit, _refused, made)
        for act in (Act.HALT, Act.RESUME, Act.STOP):
            told = Description(f"{act.capitalize()} a job", answers=shown_)
            yield route("GET", f"/{act}/{{uid}}", Action.CONTROL, self._control(act), _refused, told)
        told = Description("Tell how a job is", answers=shown_)
        yield route("GET", "/details/{uid}", Action.GET, self.details, _refused, told)

    async def submit(self, request: Request, _variables: Variables) -> Reply:
        """A job of one of the classes."""
        self._front.check(request, Action.CREATE)
        body = await read_object(self._front, request)
        name, args = field(body, "Type"), field(body, "args")
        if name not in self._classes:
            raise ValidationFailed(f"Type must be one of {', '.join(self._classes)}")
        if not isinstance(args, dict | None):
            raise ValidationFailed("args must be an object")
        content = msgspec.json.encode({"class": name, "args": args or {}})
        draft = Draft(content, PRIORITY, None)
        created = await self._front.engine.submit(Create(self._front.queue, (draft,)))
        return await self._shown(created.jobs[0])

    async def details(self, request: Request, variables: Variables) -> Reply:
        """How it is, and how far it has come."""
        self._front.check(request, Action.GET)
        return await self._shown(await self._front.job(variables["uid"]))

    def _control(self, act: Act) -> Answer:
        async def control(request: Request, variables: Variables) -> Reply:
            """Halt, resume or stop it."""
            front, uid = self._front, variables["uid"]
            front.check(request, Action.CONTROL)
            _check_allowed(await front.job(uid), act)
            return await self._shown(only(await front.engine.submit(Control(front.queue, (uid,), act))))

        control.__name__ = str(act)
        return control

    async def _shown(self, job: Job) -> Reply:
        content, result = await self._front.content(job), await self._front.result(job)
        told = {**progress_of(job), **(result.get("details") or {})}
        details = {**told, "type": content.get("class"), "state": _state(job)}
        if job.state is State.COMPLETE:
            details["result"] = result.get("result")
        if job.more.failures:
            details["error"] = job.more.failures[-1].text
        return shown({"jobID": job.uid, "message": SUCCESS, "details": details})


def _state(job: Job) -> str:
    match job.state:
        case State.FAILED:
            return "stopped" if job.reason is Reason.STOPPED else "failed"
        case State.COMPLETE:
            return "complete"
    if job.more.is_to_stop:
        return "stopping"
    if job.more.halted:
        return "halted"
    return "running" if job.state is State.INPROGRESS else "queued"


def _check_allowed(job: Job, act: Act) -> None:
    """Raises BadState for what its state does not allow."""
    if job.has_ended:
        raise BadState("the job has ended")
    if act is Act.HALT and job.more.halted:
        raise BadState("the job is halted already")
    if act is Act.RESUME and not job.more.halted:
        raise BadState("the job is not halted")


def _refused(refusal: JobEngineError, variables: Variables) -> Reply | None:
    if not is_told(refusal):
        return None
    is_unknown = isinstance(refusal, NotFound) and "uid" in variables
    detail = "there is no job with this jobID" if is_unknown else refusal.detail
    uid = legal_uid(variables.get("uid", "")) or ""
    return shown({"jobID": uid, "error": detail}, status_of(refusal))
