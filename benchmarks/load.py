"""wrk as the load: 32 connections on one thread, for a fixed time."""

import json
import os
import subprocess
from pathlib import Path

from msgspec import Struct

from benchmarks.job import content

CONNECTIONS = 32
SCRIPTS = Path(__file__).parent / "lua"


class Outcome(Struct, frozen=True):
    """What a run of wrk saw."""

    requests: int
    seconds: float
    p50: float  # seconds, as p99
    p99: float
    slowest: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def load(script: str, port: int, *, seconds: float) -> Outcome:
    """Run a script of lua/ against a server. Raises RuntimeError when any answer was not a success."""
    command = ["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds:.0f}s"]
    command += ["--timeout", "30s", "--script", str(SCRIPTS / f"{script}.lua")]
    command += [f"http://127.0.0.1:{port}/", "--", content()]
    environment = {**os.environ, "LUA_PATH": f"{SCRIPTS}/?.lua;;"}
    run = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=seconds + 60)
    return _outcome(script, run.stdout + run.stderr)


def _outcome(script: str, printed: str) -> Outcome:
    lines = [line for line in printed.splitlines() if line.startswith("OUTCOME ")]
    if not lines:
        raise RuntimeError(f"wrk did not run {script}: {printed[-1000:]}")
    counted = json.loads(lines[0].removeprefix("OUTCOME "))
    if failed := counted.pop("failed"):
        raise RuntimeError(f"{failed} of {counted['requests']} requests of {script} failed")
    return Outcome(**counted)
