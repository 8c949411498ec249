"""Where and what was measured."""

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from benchmarks.disk import appending
from benchmarks.figures import milliseconds

MEMORY_FILE_SYSTEMS = ("tmpfs", "ramfs")


def describe(directory: Path) -> dict[str, str]:
    """Date, machine, versions, commit: what a figure is worth nothing without."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": f"{os.cpu_count()} cores, {_processor()}",
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB",
        "disk": f"{file_system(directory)}, fdatasync of a 4 KiB append: median {_sync_us(directory):.0f} µs",
        "system": f"Linux {platform.release()}, Python {platform.python_version()}",
        "libraries": ", ".join(
            f"{name} {version(name)}" for name in ("aiohttp", "uvloop", "cryptography", "msgspec")
        ),
        "load before": f"average {os.getloadavg()[0]:.2f}",
        "commit": _commit(),
    }


def file_system(directory: Path) -> str:
    """The type of the file system that a directory is on."""
    printed = _printed("df", "--output=fstype", str(directory))
    return printed.splitlines()[-1] if printed else "unknown"


def _processor() -> str:
    found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def _sync_us(directory: Path) -> float:
    with appending(directory, size=4096) as append:
        return milliseconds(median(append() for _ in range(500))) * 1000


def _commit() -> str:
    commit = _printed("git", "rev-parse", "--short=12", "HEAD") or "unknown"
    return f"{commit}, with changes not committed" if _printed("git", "status", "--porcelain") else commit


def _printed(*command: str) -> str:
    """What a small command prints; nothing when it fails."""
    run = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent, timeout=30)
    return run.stdout.strip() if run.returncode == 0 else ""
