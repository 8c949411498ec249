"""What the README and the tutorial let a reader type is typed here."""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.docs.walkthrough import SERVER, Reader, Step, steps
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/tutorial/first-queue.md")


@pytest.mark.parametrize("page", PAGES)
def test_every_step_prints_what_the_page_shows(page: str, tmp_path: Path) -> None:
    port = free_port()
    _lay_out(tmp_path)
    reader = Reader()
    with ExitStack() as terminals:
        for step in steps((ROOT / page).read_text()):
            if step.command == SERVER:
                terminals.enter_context(_serving(tmp_path, port))
                continue
            printed = _printed(reader.command(step.command).replace("6010", str(port)), tmp_path)
            assert reader.accepts(step.output, printed), f"{step.command}\nprinted\n{printed}"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_starts_a_server_twice_and_kills_it_in_between(page: str) -> None:
    commands = [step.command for step in steps((ROOT / page).read_text())]
    kills = [at for at, command in enumerate(commands) if command.startswith("kill -9")]
    starts = [at for at, command in enumerate(commands) if command == SERVER]
    assert len(kills) == 1
    assert starts[0] < kills[0] < starts[1]


def test_a_reader_tells_what_may_vary_from_what_may_not() -> None:
    reader = Reader()
    uid, other = "2024ab76-a16f-4cd4-a494-5019174aa265", "7d0c3d9e-5a0b-4f5e-9a53-6a9d7e1f9c11"
    assert not reader.accepts('{"state":"queued"}', '{"state":"failed"}')
    assert reader.accepts(
        f'{{"created":1582796995,"uid":"{uid}"}}', f'{{"created":1700000000,"uid":"{other}"}}'
    )
    assert reader.command(f"curl /jobs/{uid}") == f"curl /jobs/{other}"
    assert not reader.accepts(uid, uid)


def test_a_console_holds_commands_and_what_they_print() -> None:
    page = "```console\n$ curl -s \\\n  -d x\none\ntwo\n$ kill 1\n```\n```sh\nmake run\n```\n"
    assert list(steps(page)) == [Step("curl -s \\\n  -d x", "one\ntwo"), Step("kill 1", ""), Step(SERVER, "")]


def _lay_out(directory: Path) -> None:
    """As after a clone and an installation, with this Python in the place of the one of `.venv`."""
    shutil.copy(ROOT / "Makefile", directory)
    shutil.copytree(ROOT / "config", directory / "config")
    python = directory / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)


@contextmanager
def _serving(directory: Path, port: int) -> Iterator[None]:
    """The first terminal, until the end of the walk."""
    command = ["make", "-o", ".venv/run.stamp", "run", f"PORT={port}"]
    kept_out = ("SECRET", "SECRET_FILE", "CONFIG_PATH", "DB_PATH", "MAKEFLAGS", "MAKELEVEL")
    environment = {name: value for name, value in os.environ.items() if name not in kept_out}
    with (
        (directory / "server.log").open("a") as log,
        subprocess.Popen(
            command,
            cwd=directory,
            env={**environment, "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as server,
    ):
        try:
            _wait_until_ready(server, port, directory / "server.log")
            yield
        finally:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGTERM)


def _wait_until_ready(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(300):
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise AssertionError(log.read_text())


def _printed(command: str, directory: Path) -> str:
    done = subprocess.run(
        ["bash", "-c", command], cwd=directory, capture_output=True, text=True, timeout=20, check=False
    )
    return (done.stdout + done.stderr).rstrip("\n")
