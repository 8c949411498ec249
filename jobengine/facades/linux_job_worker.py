"""The Linux Job Worker's routes: programs and their arguments, under a client's certificate."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, suppress
from typing import Any, Final

import msgspec

from jobengine.access import Action
from jobengine.errors import BadState, JobEngineError, NotFound, ValidationFailed
from jobengine.facades.front import Front, field, is_told, legal_uid, read_object, route, shown, status_of
from jobengine.facades.log_text import text_of
from jobengine.model.commands import Act, Control, Create, Draft, only
from jobengine.model.extra import Reason
from jobengine.model.job import Job
from jobengine.model.states import State
from jobengine.web.reply import Reply, Stream
from jobengine.web.request import Request
from jobengine.web.routes import Route, Variables

PRIORITY: Final = 50
STOPPED_AT_ONCE: Final = 1000  # jobs of one command
_TEXT: Final = b"text/plain; charset=utf-8"
_AS_IT_IS: Final = b"X-Content-Type-Options: nosniff\r\n"
_ENDED_BY_US: Final = frozenset({"stopped", "timeout"})  # kinds of failures


class LinuxJobWorker:
    """GET, POST and DELETE of /jobs; GET and DELETE of one; its log, and all logs."""

    def __init__(self, front: Front, *, command_length: int) -> None:
        """`command_length` is the longest command, in bytes."""
        self._front = front
        self._command_length = command_length

    def routes(self) -> Iterator[Route]:
        """As documented, and the same under /api."""
        for above in ("", "/api"):
            yield route("GET", f"{above}/jobs", Action.LIST, self.list_, _refused)
            yield route("POST", f"{above}/jobs", Action.CREATE, self.start, _refused)
            yield route("DELETE", f"{above}/jobs", Action.CONTROL, self.stop_all, _refused)
            yield route("GET", f"{above}/jobs/logs", Action.LIST, self.logs, _refused)
            yield route("GET", f"{above}/jobs/{{id}}", Action.GET, self.get, _refused)
            yield route("DELETE", f"{above}/jobs/{{id}}", Action.CONTROL, self.stop, _refused)
            yield route("GET", f"{above}/jobs/{{id}}/log", Action.GET, self.get, _refused)

    async def start(self, request: Request, _variables: Variables) -> Reply:
        """A program and its arguments: they are run as soon as there is room."""
        self._front.check(request, Action.CREATE)
        argv = field(await read_object(self._front, request), "cmd")
        self._check(argv)
        draft = Draft(msgspec.json.encode({"argv": argv}), PRIORITY, None)
        created = await self._front.engine.submit(Create(self._front.queue, (draft,)))
        return shown(_shown(created.jobs[0], _command(argv), ""), 201)

    async def list_(self, request: Request, _variables: Variables) -> Reply:
        """The ids of all jobs that are kept, oldest first."""
        self._front.check(request, Action.LIST)
        return shown({"idList": [job.uid for job in await self._jobs()]})

    async def get(self, request: Request, variables: Variables) -> Reply:
        """One job, and what it has written so far."""
        self._front.check(request, Action.GET)
        return shown(await self._view(await self._front.job(variables["id"])))

    async def logs(self, request: Request, _variables: Variables) -> Reply:
        """All jobs that are kept, newest first, each with what it has written."""
        self._front.check(request, Action.LIST)
        return Stream(self._all_views(reversed(await self._jobs())))

    async def stop(self, request: Request, variables: Variables) -> Reply:
        """Stop one job, whether it waits or runs."""
        front = self._front
        front.check(request, Action.CONTROL)
        only(await front.engine.submit(Control(front.queue, (variables["id"],), Act.STOP)))
        return shown({"success": True})

    async def stop_all(self, request: Request, _variables: Variables) -> Reply:
        """Stop all jobs that wait or run. What ends meanwhile is none of them."""
        front = self._front
        front.check(request, Action.CONTROL)
        uids = [job.uid for job in await self._jobs() if not job.has_ended]
        for first in range(0, len(uids), STOPPED_AT_ONCE):
            some = tuple(uids[first : first + STOPPED_AT_ONCE])
            await front.engine.submit(
                Control(front.queue, some, Act.STOP)
            )  # those that ended meanwhile: so be it
        return shown({"success": True})

    async def _jobs(self) -> list[Job]:
        """All of them, oldest first."""
        jobs: list[Job] = []
        async with aclosing(self._front.engine.slices(self._front.queue)) as slices:
            async for some in slices:
                jobs += some.jobs
        return sorted(jobs, key=lambda job: job.arrival)

    async def _all_views(self, jobs: Iterator[Job]) -> AsyncGenerator[bytes, None]:
        separator = b"["
        for job in jobs:
            with suppress(NotFound):  # it is gone meanwhile
                view = msgspec.json.encode(await self._view(job))
                yield separator + view
                separator = b","
        yield b"[]" if separator == b"[" else b"]"

    async def _view(self, job: Job) -> dict[str, str]:
        content = await self._front.content(job)
        current, log = await self._front.engine.log(job.queue, job.uid)
        output = "" if log is None else await text_of(log, self._front.engine.content)
        if not output and current.state is State.FAILED and current.more.failures:
            output = current.more.failures[-1].text
        return _shown(current, _command(content.get("argv") or content.get("command")), output)

    def _check(self, argv: Any) -> None:
        """Raises ValidationFailed."""
        if not isinstance(argv, list) or not all(isinstance(word, str) for word in argv):
            raise ValidationFailed('cmd must be a list of texts, as in {"cmd": ["ls", "-l"]}')
        if not argv or not argv[0] or any("\0" in word for word in argv):
            raise ValidationFailed("cmd must begin with a program, and hold no NUL character")
        if sum(len(word.encode()) + 1 for word in argv) - 1 > self._command_length:
            raise ValidationFailed(f"cmd has more than {self._command_length} bytes")


def _shown(job: Job, cmd: str, output: str) -> dict[str, str]:
    return {"id": job.uid, "cmd": cmd, "status": _status(job), "output": output}


def _command(argv: Any) -> str:
    """As one text."""
    return " ".join(map(str, argv)) if isinstance(argv, list) else str(argv)


def _status(job: Job) -> str:
    match job.state:
        case State.QUEUED:
            return "QUEUED"
        case State.INPROGRESS:
            return "RUNNING"
        case State.COMPLETE:
            return "FINISHED"
    failures = job.more.failures
    is_ours = bool(failures) and failures[-1].kind in _ENDED_BY_US
    return "CANCELED" if is_ours or job.reason is Reason.STOPPED else "FAILED"


def _refused(refusal: JobEngineError, variables: Variables) -> Reply | None:
    if isinstance(refusal, NotFound) and "id" in variables:
        uid = legal_uid(variables["id"])
        return _told("not a valid id" if uid is None else f"{uid} is not a valid id", 404)
    if isinstance(refusal, BadState):
        return _told("the job has ended", 409)
    return _told(refusal.detail, status_of(refusal)) if is_told(refusal) else None


def _told(text: str, status: int) -> Reply:
    return Reply(status, text.encode(), content_type=_TEXT, headers=_AS_IT_IS)
