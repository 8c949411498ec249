"""How fast `jobengine db verify` reads and authenticates a file."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks.bench import Bench
from benchmarks.figures import Figure
from benchmarks.fill import fill
from benchmarks.server import SECRET

RUNS = 3
WHOLE = 1_000_000  # jobs of a scale at which the file is as large as the promise says
FRAME_BYTES = 8 * 1024  # about what 32 connections write together
PROBE_FRAMES = 100


def verify(bench: Bench) -> list[Figure]:
    """The whole command, from its start to its exit code, with the file in the page cache."""
    file_bytes = (1 << 30) if bench.scale.jobs >= WHOLE else (1 << 27)
    database = _database(bench, file_bytes)
    rates = [_rate(database) for _ in range(RUNS)]
    return [
        Figure(
            f"verify of a {'1 GiB' if file_bytes == 1 << 30 else '128 MiB'} file",
            median(rates),
            "MB/s",
            at_least=250,
            note=f"{RUNS} runs, {min(rates):,.0f} to {max(rates):,.0f} MB/s; frames of about 8 KiB",
        )
    ]


def _database(bench: Bench, file_bytes: int) -> Path:
    """A file of this size, in frames of that size."""
    probe = bench.database("probe")
    job_bytes = fill(probe, jobs=PROBE_FRAMES * 100, jobs_in_a_frame=100).stat().st_size / (
        PROBE_FRAMES * 100
    )
    jobs_in_a_frame = round(FRAME_BYTES / job_bytes)
    bench.say(f"writing {file_bytes >> 20} MiB, {jobs_in_a_frame} jobs a frame")
    return fill(bench.database("large"), jobs=round(file_bytes / job_bytes), jobs_in_a_frame=jobs_in_a_frame)


def _rate(database: Path) -> float:
    command = [sys.executable, "-m", "jobengine", "db", "verify", "--json", "--db", str(database)]
    begun = time.monotonic()
    done = subprocess.run(command, env=os.environ | {"SECRET": SECRET}, capture_output=True, check=True)
    seconds = time.monotonic() - begun
    assert json.loads(done.stdout)["whole"]
    return database.stat().st_size / seconds / 1e6
