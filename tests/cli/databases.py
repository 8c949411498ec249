"""Database files for the commands of `jobengine db`, and the commands themselves, within this process."""

import asyncio
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

from jobengine.cli.main import main
from jobengine.journal.journal import Journal
from jobengine.journal.keys import Secret
from jobengine.model.changes import PutQueue
from tests.journal.damage import flipped
from tests.journal.scenes import MAIL, WALL_MS, job, put
from tests.support.server import SECRET

UID = job(0).uid


def database(place: Path, jobs: int = 3) -> Path:
    """A file with a queue and so many jobs, closed in good order."""
    path = place / "jobs.queuedb"
    asyncio.run(_fill(path, jobs))
    return path


async def _fill(path: Path, jobs: int) -> None:
    secret = Secret.parse(SECRET)
    journal = Journal.open(path, secret, replay=lambda changes: None, wall_ms=lambda: WALL_MS)
    journal.start(now=lambda: WALL_MS, on_rollback=print, on_failure=print)
    await journal.append([PutQueue(MAIL)])
    for number in range(jobs):
        await journal.append(put(number))
    await journal.close()


def damage(path: Path, place: int) -> bytes:
    """Change one byte; returns what is there now."""
    path.write_bytes(flipped(path.read_bytes(), place))
    return path.read_bytes()


@dataclass(frozen=True)
class Finished:
    """What a command printed, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


def db(
    command: str, path: Path, *arguments: str, secret: str | None = SECRET, new_secret: str | None = None
) -> Finished:
    """`jobengine db …` on this file."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SECRET")}
    if secret is not None:
        environment["SECRET"] = secret
    if new_secret is not None:
        environment["SECRET_NEW"] = new_secret
    output, errors, code = StringIO(), StringIO(), 0
    with (
        patch.dict(os.environ, environment, clear=True),
        patch.object(sys, "argv", ["jobengine", "db", command, "--db", str(path), *arguments]),
        redirect_stdout(output),
        redirect_stderr(errors),
    ):
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Finished(code, output.getvalue(), errors.getvalue())


def told(command: str, path: Path, *arguments: str, exit_code: int = 0) -> dict[str, Any]:
    """What it answers with --json: one document, and nothing besides."""
    finished = db(command, path, *arguments, "--json")
    assert (finished.returncode, finished.stderr) == (exit_code, "")
    document: dict[str, Any] = json.loads(finished.stdout)
    return document


def refused(finished: Finished, exit_code: int, words: str) -> None:
    """One line, and the exit code."""
    assert (finished.returncode, finished.stdout) == (exit_code, "")
    assert finished.stderr.count("\n") == 1
    assert words in finished.stderr
