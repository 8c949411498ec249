"""jobrunner's routes: a command runs while the client waits, and its output is the answer."""

import hmac
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from jobengine.access import Action
from jobengine.archive.base64 import decoded
from jobengine.errors import (
    ArchiveRefused,
    JobEngineError,
    LeaseLost,
    NotFound,
    PasswordWrong,
    Unavailable,
    ValidationFailed,
)
from jobengine.facades.counts import RunCounts
from jobengine.facades.front import Front, field, is_told, read_object, route, shown, status_of
from jobengine.model.commands import Act, Control, Create, Draft
from jobengine.model.job import Job
from jobengine.model.states import State
from jobengine.web.reply import Reply
from jobengine.web.request import Request
from jobengine.web.routes import Route, Variables

WAITING_MOST: Final = 10  # for each worker: more than so many are turned away at once
ID_MOST: Final = 1024  # characters
PRIORITY: Final = 50
_TEXT: Final = b"text/plain; version=0.0.4; charset=utf-8"


class Jobrunner:
    """POST /payload, GET /status and GET /metrics."""

    def __init__(self, front: Front, *, password: str | None, workers: int) -> None:
        self._front = front
        self._password = (password or "").strip("\r\n")  # which no header can hold: as jobrunner has it
        self._workers = workers
        self._waiting_most = WAITING_MOST * max(1, workers)
        self._counts = RunCounts()  # since the server was started, as jobrunner counted

    def routes(self) -> Iterator[Route]:
        """As documented."""
        yield route("POST", "/payload", Action.CREATE, self.payload, _refused)
        yield route("GET", "/status", Action.LOOK, self.status, _refused)
        yield route("GET", "/metrics", Action.LOOK, self.metrics, _refused)

    async def payload(self, request: Request, _variables: Variables) -> Reply:
        """Run the command on this data, and answer when it has ended. Who goes before that stops it."""
        self._check(request)
        body = await read_object(self._front, request)
        id_, data = field(body, "id"), field(body, "data")
        if not isinstance(id_, str) or not 0 < len(id_) <= ID_MOST or "\0" in id_:
            raise ValidationFailed(f"id must be a text of 1 to {ID_MOST} characters, with no NUL among them")
        if not isinstance(data, str) or not data:
            raise ValidationFailed("data must be base64, and not empty")
        decoded(data)  # told now, not when it is run
        if self._queued > self._waiting_most:
            raise Unavailable(f"more than {self._waiting_most} jobs are waiting")
        draft = Draft(msgspec.json.encode({"id": id_, "data": data}), PRIORITY, None)
        created = await self._front.engine.submit(Create(self._front.queue, (draft,)))
        return await self._answered(request, created.jobs[0].uid)

    async def status(self, request: Request, _variables: Variables) -> Reply:
        """How many jobs wait, and how many run; as with jobrunner, without the password."""
        self._front.check(request, Action.LOOK)
        jobs = self._front.engine.queue_status(self._front.queue).jobs
        return shown(
            {
                "status": "ok",
                "workers": self._workers,
                "queued_jobs": jobs.get(State.QUEUED, 0),
                "total_jobs": self._counts.jobs,
                "jobs_waiting": jobs.get(State.QUEUED, 0),
                "jobs_running": jobs.get(State.INPROGRESS, 0),
            }
        )

    async def metrics(self, request: Request, _variables: Variables) -> Reply:
        """`queued_jobs`, `total_jobs` and `job_duration`, as jobrunner has them, without the password too."""
        self._front.check(request, Action.LOOK)
        lines = ["# TYPE queued_jobs gauge", f"queued_jobs {self._queued}", "# TYPE total_jobs counter"]
        by_slot = sorted(self._counts.by_slot.items())
        lines += [f'total_jobs{{worker_id="{slot}"}} {count.jobs}' for slot, count in by_slot]
        lines += ["# TYPE job_duration summary"]
        for slot, count in by_slot:
            lines.append(f'job_duration_sum{{worker_id="{slot}"}} {count.seconds:.6f}')
            lines.append(f'job_duration_count{{worker_id="{slot}"}} {count.jobs}')
        return Reply(200, "".join(f"{line}\n" for line in lines).encode(), content_type=_TEXT)

    @property
    def _queued(self) -> int:
        return self._front.engine.queue_status(self._front.queue).jobs.get(State.QUEUED, 0)

    def _check(self, request: Request) -> None:
        """Raises PasswordWrong, and what `access` raises."""
        sent = request.headers.getall("X-JR-PASSWORD", ())
        if self._password and not (
            len(sent) == 1 and hmac.compare_digest(_bytes(sent[0]), _bytes(self._password))
        ):
            raise PasswordWrong("X-JR-PASSWORD is missing or wrong")
        self._front.check(request, Action.CREATE)

    async def _answered(self, request: Request, uid: str) -> Reply:
        front = self._front
        try:
            ended = front.engine.once(front.queue, uid, lambda job: job.has_ended)
            job = await front.patience.wait(request, ended)
        except (ConnectionError, Unavailable):  # nobody will hear of it any more
            await front.engine.submit(Control(front.queue, (uid,), Act.STOP))
            raise
        result = await front.result(job)
        if "worker_id" in result:
            self._counts.add(result["worker_id"], result.get("seconds", 0))
        return shown(self._view(job, result))

    @staticmethod
    def _view(job: Job, result: dict[str, Any]) -> dict[str, Any]:
        exit_code = result.get("exit_code")
        view: dict[str, Any] = {
            "data": result.get("data", ""),
            "worker_id": result.get("worker_id", 0),
            "elapsed_sec": result.get("seconds", 0),
            "exit_status": -1 if exit_code is None else exit_code,
            "error": result.get("errors", ""),
            "output": result.get("output", ""),
        }
        if job.state is State.FAILED and job.more.failures:
            view["message"] = job.more.failures[-1].text
        return view


def _bytes(text: str) -> bytes:
    """As they came: a header and an environment may hold what is no UTF-8."""
    return text.encode("utf-8", "surrogateescape")


def _refused(refusal: JobEngineError, _variables: Variables) -> Reply | None:
    if isinstance(refusal, ArchiveRefused):
        return shown({"message": refusal.detail}, 400)
    if isinstance(refusal, NotFound | LeaseLost):
        return shown({"message": "the job is gone"}, 500)
    return shown({"message": refusal.detail}, status_of(refusal)) if is_told(refusal) else None
