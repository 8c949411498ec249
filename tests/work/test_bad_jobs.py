"""Programs that behave as badly as they can: each ends with its reason, and nobody else notices."""

import asyncio
import os
from pathlib import Path
from typing import Any

from jobengine import AsyncClient
from tests.support.server import ServerProcess
from tests.work.shop import open_directory
from tests.work.test_server import running

# What it does, with the kind of its failure; None: it ends well.
BAD: dict[str, tuple[Any, str | None]] = {
    "is not there": ({"argv": ["no-such-program"]}, "not_found"),
    "is too long": ({"argv": ["echo", "x" * 5000]}, "content"),
    "prints without end": ({"command": "exec yes"}, "timeout"),
    "sleeps for ever, and does not listen": ({"command": "trap '' TERM; sleep 1000 & wait; wait"}, "timeout"),
    "stands still": ({"command": "kill -STOP $$"}, "timeout"),
    "computes for ever": ({"command": "while :; do :; done"}, "timeout"),
    "fills the disk": ({"command": "exec cat /dev/zero >full"}, "file_size"),
    "takes all memory": ({"argv": ["perl", "-e", '"x" x 900000000']}, "memory"),
    "ends by a signal that has no name": ({"command": "kill -44 $$"}, "signal"),
    "leaves children": ({"command": "sleep 1000 & setsid sleep 1000 &"}, None),
    "closes its output and goes on": ({"command": "exec >&- 2>&-; sleep 0.1"}, None),
    "deletes its own directory": ({"command": "cd /; rm -rf $HOME; true"}, None),
    "closes its directory to all": ({"command": "mkdir a; chmod 0 a ."}, None),
}


def _configured(place: Path) -> dict[str, object]:
    user = {"user": "nobody"} if os.geteuid() == 0 else {}
    limits = {"timeout": "1s", "grace": "100ms", "file_size": 1_000_000, "memory": "128MiB"}
    shell = {"type": "shell", "allow_shell": True, **user}
    names = {"read": ["owner"], "write": ["owner"], "max_attempts": 1}
    queues = {
        "bad": {**names, "run": {**shell, **limits, "workers": len(BAD)}},
        "good": {**names, "run": {**shell, "workers": 1}},
    }
    return {"queues": queues, "work": {"directory": str(place), "drain_seconds": 0}}


async def _outcome(client: AsyncClient, queue: str, content: Any) -> str | None:
    """The kind of its failure."""
    uid = (await client.create(queue, content)).uid
    while (job := await client.get(queue, uid)).state in ("queued", "inprogress"):
        await asyncio.sleep(0.05)
    return job.errors[-1].kind if job.errors else None


async def test_bad_jobs_end_each_with_its_reason_and_good_ones_do_not_notice(tmp_path: Path) -> None:
    with open_directory() as runs:
        async with running(ServerProcess(tmp_path, _configured(runs))) as client:
            bad = asyncio.gather(*(_outcome(client, "bad", content) for content, _ in BAD.values()))
            while not bad.done():
                assert await _outcome(client, "good", {"argv": ["true"]}) is None
            assert dict(zip(BAD, await bad, strict=True)) == {does: kind for does, (_, kind) in BAD.items()}
        assert list(runs.iterdir()) == []
