"""Jobs that are run: by programs, by classes, with much output, and out of archives."""

import asyncio
import base64
import json
import os
import time
from io import BytesIO
from statistics import median
from typing import Any
from zipfile import ZIP_STORED, ZipFile

from benchmarks.bench import Bench
from benchmarks.client import Connection, request, timed
from benchmarks.figures import Figure, in_pairs, milliseconds
from benchmarks.job import QUEUE, SERVICE, content
from benchmarks.processes import free_port
from benchmarks.server import Server, serving
from jobengine.client.client import Client

SLOTS = 2
PROGRAMS = 300  # on each side of a pair
CLASSES = 5000
LIST = 1000  # jobs a request
OUTPUT_SECONDS = 10
OUTPUT_MOST = 64 * 1024 * 1024
BUNDLES = 100
BUNDLE_BYTES = 16 * 1024 * 1024 - 1024
MIB = 1 << 20
RUN = "run"

_USER = ", user: nobody" if os.geteuid() == 0 else ""


def programs(bench: Bench) -> list[Figure]:
    """`true` as a job, beside the least that starts it from Python."""
    run = f"{{type: shell, workers: {SLOTS}{_USER}}}"
    with serving(bench.database("programs"), more=_queue(run)) as server, Connection(server.port) as asking:

        def ours() -> float:
            return _rate(asking, [{"argv": ["/bin/true"]}] * PROGRAMS)

        pairs = in_pairs(ours, lambda: asyncio.run(_bare(PROGRAMS)), pairs=bench.scale.pairs)
    name = f"`true` as a job, {SLOTS} slots, of a bare create_subprocess_exec loop, {SLOTS} at a time"
    return [Figure(name, pairs.ratio, at_least=0.6, note=pairs.note)]


async def _bare(count: int) -> float:
    async def loop(share: int) -> None:
        for _ in range(share):
            process = await asyncio.create_subprocess_exec("/bin/true")
            await process.wait()

    begun = time.perf_counter()
    await asyncio.gather(*(loop(count // SLOTS) for _ in range(SLOTS)))
    return count / (time.perf_counter() - begun)


def payloads(bench: Bench) -> list[Figure]:
    """The answer of `POST /payload`, above running the command itself."""
    run = f"{{type: payload, workers: 1, command: [/bin/true]{_USER}}}"
    port = free_port()  # of its own: its /metrics is another one
    more = _queue(run) + f"facades:\n  jobrunner: {{queue: {RUN}, service: {SERVICE}, port: {port}}}\n"
    asked = [request("POST", "/payload", b'{"id":"1","data":"aGk="}')] * 50
    answered: list[float] = []
    alone: list[float] = []
    with serving(bench.database("payloads"), more=more), Connection(port) as connection:
        timed(connection, asked, status=200)
        for _ in range(bench.scale.pairs):
            answered += timed(connection, asked, status=200)
            alone += asyncio.run(_alone(len(asked)))
    return [
        Figure(
            "POST /payload to its answer, above running the command",
            milliseconds(median(answered) - median(alone)),
            "ms",
            at_most=5,
            note=f"median {milliseconds(median(answered)):.2f} ms, the command "
            f"{milliseconds(median(alone)):.2f} ms",
        )
    ]


async def _alone(count: int) -> list[float]:
    seconds = []
    for _ in range(count):
        begun = time.perf_counter()
        process = await asyncio.create_subprocess_exec("/bin/true")
        await process.wait()
        seconds.append(time.perf_counter() - begun)
    return seconds


def classes(bench: Bench) -> list[Figure]:
    """Asynchronous classes that do nothing."""
    run = "{type: python, workers: 100, classes: {Nothing: 'benchmarks.nothing:Nothing'}}"
    with serving(bench.database("classes"), more=_queue(run)) as server, Connection(server.port) as asking:
        rates = [_rate(asking, [{"class": "Nothing"}] * CLASSES) for _ in range(bench.scale.pairs)]
    note = f"{min(rates):,.0f} to {max(rates):,.0f}, from the first create to the last end"
    return [
        Figure("Python jobs run, one worker with 100 slots", median(rates), "/s", at_least=5000, note=note)
    ]


def output(bench: Bench) -> list[Figure]:
    """A program that prints as fast as it can, and the creates of others meanwhile."""
    run = f"{{type: shell, workers: 1{_USER}}}"
    more = _queue(run, log_bytes=OUTPUT_MOST)
    argv = ["timeout", str(OUTPUT_SECONDS), "head", "-c", "1T", "/dev/zero"]
    creates = [request("POST", f"/api/v2/queues/{QUEUE}/jobs", f'{{"content":{content()}}}'.encode())] * 500
    with serving(bench.database("output"), more=more) as server, Connection(server.port) as connection:
        before = _creates_in(connection, creates, 3)
        uid = _create(connection, [{"argv": argv}])[0]
        beside = _creates_in(connection, creates, OUTPUT_SECONDS - 2)
        job = _ended(connection, uid)
        read = _log_bytes(server, uid)
    rate = read / job["result"]["seconds"] / MIB
    return [
        Figure(f"output of one job read, {OUTPUT_SECONDS} s at full speed", rate, "MiB/s", at_least=50),
        Figure(
            "creates meanwhile, of those before",
            beside / before,
            at_least=0.5,
            note=f"{beside:,.0f}/s of {before:,.0f}/s on one connection",
        ),
    ]


def _creates_in(connection: Connection, creates: list[bytes], seconds: float) -> float:
    begun, done = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds:
        timed(connection, creates, status=201)
        done += len(creates)
    return done / (time.perf_counter() - begun)


def _log_bytes(server: Server, uid: str) -> int:
    """How much the program had written, by the offset of the last piece of its log."""
    with Client(f"http://127.0.0.1:{server.port}", name=SERVICE) as client:
        return max(piece.end for piece in client.log(RUN, uid))


def bundles(bench: Bench) -> list[Figure]:
    """The memory of a server with many large archives, queued and run."""
    run = f"{{type: bundle, workers: {SLOTS}{_USER}}}"
    more = _queue(run, max_body="limits:\n  body_bytes: 32MiB\n")
    body = json.dumps({"content": {"archive": base64.b64encode(_bundle()).decode()}}).encode()
    sent = request("POST", f"/api/v2/queues/{RUN}/jobs", body)
    with serving(bench.database("bundles"), more=more) as server, Connection(server.port) as connection:
        for _ in range(BUNDLES):
            connection.expect(201, sent)
        _wait_until_idle(connection)
        most = server.peak_resident / MIB
    name = f"memory with {BUNDLES} bundles of 16 MiB queued and run, the most"
    return [Figure(name, most, "MiB", at_most=300)]


def _bundle() -> bytes:
    file = BytesIO()
    with ZipFile(file, "w", ZIP_STORED) as archive:
        archive.writestr("run.sh", "#!/bin/sh\nrm input\n")
        archive.writestr("input", os.urandom(BUNDLE_BYTES))
    return file.getvalue()


def _queue(run: str, *, log_bytes: int = MIB, max_body: str = "") -> str:
    """The configuration of the queue that is run."""
    return f"""\
  {RUN}:
    read: [{SERVICE}]
    write: [{SERVICE}]
    log_bytes: {log_bytes}
    run: {run}
{max_body}"""


def _rate(connection: Connection, contents: list[Any]) -> float:
    """Jobs a second, from the first create to the last end."""
    begun = time.perf_counter()
    for start in range(0, len(contents), LIST):
        uids = _create(connection, contents[start : start + LIST])
    _ended(connection, uids[-1])  # to look again and again would take from what is measured
    _wait_until_idle(connection)
    return len(contents) / (time.perf_counter() - begun)


def _create(connection: Connection, contents: list[Any]) -> list[str]:
    body = json.dumps([{"content": each} for each in contents]).encode()
    answer = json.loads(connection.expect(201, request("POST", f"/api/v2/queues/{RUN}/jobs", body)))
    return [job["uid"] for job in answer["jobs"]]


def _wait_until_idle(connection: Connection) -> None:
    while True:
        jobs = json.loads(connection.expect(200, request("GET", f"/api/v2/queues/{RUN}")))["jobs"]
        if not jobs["queued"] + jobs["inprogress"]:
            return
        time.sleep(0.01)


def _ended(connection: Connection, uid: str) -> dict[str, Any]:
    while True:
        job: dict[str, Any] = json.loads(
            connection.expect(200, request("GET", f"/api/v2/queues/{RUN}/jobs/{uid}?wait=30"))
        )
        if job["state"] in ("complete", "failed"):
            return job
