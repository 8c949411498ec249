"""Jobs that the real server runs, from the request to the result."""

import asyncio
import base64
import io
import os
import zipfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from jobengine import AsyncClient
from tests.support.server import ServerProcess
from tests.work.shop import open_directory
from tests.work.slurm_cluster import IS_INSTALLED, slurm_cluster
from tests.work.slurm_service import TOKEN, slurm_service


def archive(script: str) -> str:
    """Base64 of a bundle."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr("run.sh", script)
    return base64.b64encode(file.getvalue()).decode()


def file_of(result: Any, name: str) -> bytes:
    """A file of a bundle that came back."""
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(result["archive"]))) as zipped:
        return zipped.read(name)


@asynccontextmanager
async def running(server: ServerProcess) -> AsyncIterator[AsyncClient]:
    """One who may do everything, while the server runs."""
    await asyncio.to_thread(server.start)
    try:
        async with AsyncClient(f"http://127.0.0.1:{server.port}", name="owner") as client:
            yield client
    finally:
        await asyncio.to_thread(server.stop)


def configured(place: Path, **run: Any) -> Mapping[str, object]:
    """One queue whose jobs are run so."""
    user = {"user": "nobody"} if os.geteuid() == 0 else {}
    queue = {"read": ["owner"], "write": ["owner"], "run": {**user, **run}}
    return {"queues": {"runs": queue}, "work": {"directory": str(place), "drain_seconds": 0}}


async def ended(client: AsyncClient, uid: str) -> Any:
    """The job, when it has ended."""
    while (job := await client.get("runs", uid)).state in ("queued", "inprogress"):
        await asyncio.sleep(0.05)
    return job


async def _run(place: Path, content: Any, **run: Any) -> Any:
    with open_directory() as runs:
        async with running(ServerProcess(place, configured(runs, **run))) as client:
            return await ended(client, (await client.create("runs", content)).uid)


async def test_a_payload_is_answered(tmp_path: Path) -> None:
    command = 'sh -c \'tr a-z A-Z <"$JOBRUNNER_REQUEST_DATA_FN" >"$JOBRUNNER_RESPONSE_DATA_FN"\''
    job = await _run(tmp_path, {"id": "1", "data": "aGVsbG8="}, type="payload", command=command)
    assert (job.state, base64.b64decode(job.result["data"])) == ("complete", b"HELLO")


async def test_a_bundle_comes_back(tmp_path: Path) -> None:
    job = await _run(tmp_path, {"archive": archive("echo made >made")}, type="bundle")
    assert (job.state, file_of(job.result, "made")) == ("complete", b"made\n")


async def test_a_bundle_goes_to_a_service(tmp_path: Path) -> None:
    async with slurm_service() as service:
        service.answers = [(200, {"output": archive("its result")})]
        slurm = {"url": service.url, "token": TOKEN, "poll": "100ms"}
        job = await _run(tmp_path, {"archive": archive("true")}, type="slurm", slurm=slurm)
    assert (job.state, job.result["slurm_id"], file_of(job.result, "run.sh")) == (
        "complete",
        7,
        b"its result",
    )


@pytest.mark.skipif(not IS_INSTALLED, reason="slurm-wlm and munge are not installed")
async def test_a_job_of_slurms_outlives_the_server_and_no_attempt_is_lost(tmp_path: Path) -> None:
    script = "echo $$ >>begun; while [ ! -e go-on ]; do sleep 0.05; done; echo made >made"
    with open_directory() as place, open_directory() as runs, slurm_cluster(place) as slurm:
        environment = {"SLURM_CONF": str(slurm)}
        configuration = configured(runs, type="slurm", environment=environment, slurm={"poll": "100ms"})
        server = ServerProcess(tmp_path, configuration)
        async with running(server) as client:
            uid = (await client.create("runs", {"archive": archive(script)})).uid
            while not (begun := [*runs.glob("*/bundle/begun")]):
                await asyncio.sleep(0.05)
        async with running(server) as client:
            (begun[0].parent / "go-on").touch()
            job = await ended(client, uid)
    assert (job.state, job.attempt, file_of(job.result, "made")) == ("complete", 1, b"made\n")
    assert file_of(job.result, "begun").count(b"\n") == 1


async def test_a_class_that_leaves_or_never_ends_harms_no_server(tmp_path: Path) -> None:
    classes = {name: f"tests.work.odd_classes:{name}" for name in ("Leaves", "Deaf")}
    server = ServerProcess(tmp_path, configured(tmp_path, type="python", classes=classes, grace="100ms"))
    async with running(server) as client:
        left = await ended(client, (await client.create("runs", {"class": "Leaves"})).uid)
        assert (left.state, left.errors[-1].kind) == ("failed", "SystemExit")
        deaf = await client.create("runs", {"class": "Deaf"})
        while (await client.get("runs", deaf.uid)).state == "queued":
            await asyncio.sleep(0.01)
    assert server.process.returncode == 0
    assert "stopped" in server.log
    assert "ended without it" not in server.log


async def test_a_job_that_is_stopped_while_it_is_halted_cleans_up_after_a_restart(tmp_path: Path) -> None:
    classes = {"Tells": "tests.work.odd_classes:Tells"}
    server = ServerProcess(tmp_path, configured(tmp_path, type="python", classes=classes))
    told = tmp_path / "told"
    async with running(server) as client:
        uid = (await client.create("runs", {"class": "Tells", "args": {"file": str(told)}})).uid
        while not told.exists():
            await asyncio.sleep(0.01)
        await client.halt("runs", uid)
        while (await client.get("runs", uid)).state != "queued":
            await asyncio.sleep(0.01)
    async with running(server) as client:
        assert (await client.stop("runs", uid)).control == "stop"
        job = await ended(client, uid)
    assert (job.state, job.reason, job.errors[-1].kind) == ("failed", "stopped", "stopped")
    assert told.read_text().splitlines() == ["start None", "halt None", "stop 7", "clean 7"]
