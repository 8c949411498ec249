"""A stand-in for the service that keeps a Slurm: its two routes, and answers that tests choose."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

TOKEN = "the-token"


class SlurmService:
    """Jobs get numbers from 7 on; of each the answers follow one another, and the last one stays."""

    def __init__(self) -> None:
        self.url = ""
        self.submitted: list[Any] = []
        self.asked: list[int] = []
        self.submits_with = 201
        self.answers: list[tuple[int, Any]] = [(204, None)]

    async def submit(self, request: web.Request) -> web.Response:
        """Take a job."""
        if request.headers.get("Authorization") != TOKEN:
            return web.Response(status=401)
        self.submitted.append((await request.json())["payload"])
        return web.json_response({"jobid": 6 + len(self.submitted)}, status=self.submits_with)

    async def download(self, request: web.Request) -> web.Response:
        """Say how far it has come."""
        if request.headers.get("Authorization") != TOKEN:
            return web.Response(status=401)
        self.asked.append(int(request.match_info["jobid"]))
        status, answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=status) if answer is None else web.json_response(answer, status=status)


@asynccontextmanager
async def slurm_service() -> AsyncIterator[SlurmService]:
    """One that listens."""
    service = SlurmService()
    application = web.Application(client_max_size=2**26)
    application.router.add_post("/api/submit", service.submit)
    application.router.add_get("/api/download/{jobid}", service.download)
    async with TestServer(application) as server:
        service.url = str(server.make_url(""))
        yield service
