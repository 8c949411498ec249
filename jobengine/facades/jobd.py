"""jobd's routes: a zip comes in, one comes out."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec

from jobengine.access import Action
from jobengine.archive.base64 import decoded
from jobengine.errors import ArchiveRefused, BadState, JobEngineError, NotFound, ValidationFailed
from jobengine.facades.front import Front, field, is_told, progress_of, read_object, route, shown, status_of
from jobengine.model.commands import Create, Draft, Options
from jobengine.model.job import Job
from jobengine.model.states import State
from jobengine.web.reply import Reply
from jobengine.web.request import Request
from jobengine.web.routes import Route, Variables

# Clients of jobd choose any text as an id; jobs have UUIDs, made of it (RFC 9562, section 5.5).
IDS: Final = UUID("a58a1dd8-4b1d-4f5b-9a5c-2a7b1b7e6a11")
ID_MOST: Final = 256  # characters
PRIORITY: Final = 50
PARTIAL_CONTENT: Final = 206
ZIP: Final = b"application/zip"
_STATUSES: Final = {
    State.QUEUED: "Pending",
    State.INPROGRESS: "Processing",
    State.COMPLETE: "Completed",
    State.FAILED: "Failed",
}


class Jobd:
    """POST /api/upload, GET /api/get/{id} and GET /api/download/{id}."""

    def __init__(self, front: Front, *, slurm_queue: str | None) -> None:
        self._front = front
        self._slurm_queue = slurm_queue

    def routes(self) -> Iterator[Route]:
        """As documented, and the download of the zip itself. Its document names some without /api, too."""
        for under in ("/api", ""):
            yield route("POST", f"{under}/upload", Action.CREATE, self.upload, _refused)
            yield route("GET", f"{under}/get/{{id}}", Action.GET, self.get, _refused)
            yield route("GET", f"{under}/download/{{id}}", Action.GET, self.download, _refused)

    async def upload(self, request: Request, _variables: Variables) -> Reply:
        """A new job. An id that is taken is refused for as long as its job is there."""
        self._front.check(request, Action.CREATE)
        body = await read_object(self._front, request)
        id_, input_, to_slurm = field(body, "ID"), field(body, "Input"), field(body, "Slurml")
        _check(id_, input_, to_slurm)
        queue = self._queue(to_slurm=bool(to_slurm))
        self._front.check(request, Action.CREATE, queue=queue)
        decoded(input_)  # told now, not when it is run
        if id_ and await self._found(id_) is not None:
            raise BadState("this ID is taken")
        uid = str(uuid5(IDS, id_)) if id_ else None
        content = msgspec.json.encode({"archive": input_})
        draft = Draft(content, PRIORITY, None, Options(uid=uid))
        created = await self._front.engine.submit(Create(queue, (draft,)))
        if created.known:
            raise BadState("this ID is taken")
        return shown(self._view(created.jobs[0], id_ or created.jobs[0].uid, {}), 201)

    async def get(self, request: Request, variables: Variables) -> Reply:
        """The job: 206 until it has ended, then 200 with its output."""
        job = await self._job(request, variables["id"])
        result = await self._front.result(job)
        return shown(self._view(job, variables["id"], result), 200 if job.has_ended else PARTIAL_CONTENT)

    async def download(self, request: Request, variables: Variables) -> Reply:
        """The zip that it left; 206 with the job while there is none yet."""
        job = await self._job(request, variables["id"])
        archive = (await self._front.result(job)).get("archive")
        if not job.has_ended:
            return shown(self._view(job, variables["id"], {}), PARTIAL_CONTENT)
        if not isinstance(archive, str) or not archive:
            raise NotFound
        headers = (
            b'Content-Disposition: attachment; filename="output.zip"\r\nX-Content-Type-Options: nosniff\r\n'
        )
        return Reply(200, decoded(archive), content_type=ZIP, headers=headers)

    def _queue(self, *, to_slurm: bool) -> str:
        if not to_slurm:
            return self._front.queue
        if self._slurm_queue is None:
            raise ValidationFailed("this server has no queue for Slurm: leave Slurml out")
        return self._slurm_queue

    async def _job(self, request: Request, id_: str) -> Job:
        """The job that is asked for. Raises NotFound."""
        self._front.check(request, Action.GET)
        if (job := await self._found(id_)) is None:
            raise NotFound
        return job

    async def _found(self, id_: str) -> Job | None:
        """The job of an id: its own, or the one that it was given."""
        for uid in (str(uuid5(IDS, id_)), id_):
            for queue in self._queues:
                with suppress(NotFound):
                    return await self._front.job(uid, queue=queue)
        return None

    @property
    def _queues(self) -> tuple[str, ...]:
        return (self._front.queue,) + (() if self._slurm_queue is None else (self._slurm_queue,))

    def _view(self, job: Job, id_: str, result: dict[str, Any]) -> dict[str, Any]:
        failures = job.more.failures
        progress = progress_of(job)
        output = result.get("archive") or progress.get("archive") or ""
        is_partial = job.state is State.INPROGRESS and bool(progress.get("archive"))
        return {
            "ID": id_,
            "Status": "Partial" if is_partial else _STATUSES[job.state],
            "Input": "",
            "Path": "",
            "Output": output,
            "Message": failures[-1].text if failures and job.state is State.FAILED else "",
            "Slurml": job.queue == self._slurm_queue,
            "SlurmID": result.get("slurm_id") or progress.get("slurm_id") or 0,
            "LastUpdated": datetime.fromtimestamp(job.updated / 1000, UTC).isoformat(timespec="milliseconds"),
        }


def _check(id_: Any, input_: Any, to_slurm: Any) -> None:
    """Raises ValidationFailed."""
    if id_ is not None and not _is_id(id_):
        raise ValidationFailed(
            f"ID must be a text of at most {ID_MOST} characters, with none of /, {{ and }}"
        )
    if not isinstance(input_, str) or not input_:
        raise ValidationFailed("Input must be a zip file in base64")
    if not isinstance(to_slurm, bool | None):
        raise ValidationFailed("Slurml must be true or false")


def _is_id(id_: Any) -> bool:
    """Whether it can be asked for."""
    return (
        isinstance(id_, str) and len(id_) <= ID_MOST and not set("/{}") & set(id_) and id_ not in (".", "..")
    )


def _refused(refusal: JobEngineError, _variables: Variables) -> Reply | None:
    if isinstance(refusal, BadState | ArchiveRefused):
        return shown({"error": refusal.detail}, 400)
    return shown({"error": refusal.detail}, status_of(refusal)) if is_told(refusal) else None
