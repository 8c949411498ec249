"""The Job Manager's routes: jobs of Python classes, halted and resumed by GET, as its document has it."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from jobengine.access import Action
from jobengine.errors import BadState, JobEngineError, NotFound, ValidationFailed
from jobengine.facades.front import Front, field, is_told, read_object, route, shown, status_of
from jobengine.model.commands import Act, Control, Create, Draft, only
from jobengine.model.job import Job
from jobengine.model.states import State
from jobengine.web.reply import Reply
from jobengine.web.request import Request
from jobengine.web.routes import Route, Variables

SUCCESS: Final = "Success"
PRIORITY: Final = 50


class JobManager:
    """POST /submit; GET /halt, /resume, /stop and /details of a job."""

    def __init__(self, front: Front, classes: Iterable[str]) -> None:
        self._front = front
        self._classes = sorted(classes)

    def routes(self) -> Iterator[Route]:
        """As documented; `/swagger/` is served beside them."""
        yield route("POST", "/submit", Action.CREATE, self.submit, _refused)
        for act in (Act.HALT, Act.RESUME, Act.STOP):
            yield route("GET", f"/{act}/{{uid}}", Action.CONTROL, self._control(act), _refused)
        yield route("GET", "/details/{uid}", Action.GET, self.details, _refused)

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

    def _control(self, act: Act) -> Any:
        async def answer(request: Request, variables: Variables) -> Reply:
            """Halt, resume or stop it."""
            front, uid = self._front, variables["uid"]
            front.check(request, Action.CONTROL)
            _check_allowed(await front.job(uid), act)
            return await self._shown(only(await front.engine.submit(Control(front.queue, (uid,), act))))

        return answer

    async def _shown(self, job: Job) -> Reply:
        content, result = await self._front.content(job), await self._front.result(job)
        progress = job.more.progress
        details = {
            "type": content.get("class"),
            "state": _state(job),
            **(msgspec.json.decode(progress) if progress is not None else {}),
            **(result.get("details") or {}),
        }
        if job.state is State.COMPLETE:
            details["result"] = result.get("result")
        if job.more.failures:
            details["error"] = job.more.failures[-1].text
        return shown({"jobID": job.uid, "message": SUCCESS, "details": details})


def _state(job: Job) -> str:
    if job.state is State.FAILED and job.reason is not None:
        return "stopped" if job.reason == "stopped" else "failed"
    if job.more.halted and not job.has_ended:
        return "halted"
    return {State.QUEUED: "queued", State.INPROGRESS: "running"}.get(job.state, str(job.state))


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
    detail = "there is no job with this id" if isinstance(refusal, NotFound) else refusal.detail
    uid = variables.get("uid", "") if not isinstance(refusal, NotFound) else ""
    return shown({"jobID": uid, "error": detail}, status_of(refusal))
