"""One run of the benchmarks: how much of everything, where, and what several of them share."""

import shutil
import sys
from functools import cached_property
from pathlib import Path

from msgspec import Struct

from benchmarks.load import load
from benchmarks.server import Server, serving

SHARED = "left"


class Scale(Struct, frozen=True):
    """How much of everything."""

    jobs: int  # where the promise says a million
    seconds: float  # of load on each side of a pair
    pairs: int
    big_values: int
    operations: int  # of each kind, for each peer and round


class Left(Struct, frozen=True):
    """A database that 32 connections filled over HTTP, and what it took."""

    database: Path
    jobs: int
    file_bytes: int
    grown_bytes: int  # of the server's memory, while they came


class Bench:
    """What a benchmark is given."""

    def __init__(self, directory: Path, scale: Scale) -> None:
        self.directory = directory
        self.scale = scale

    def database(self, name: str) -> Path:
        """A place for a database."""
        return self.directory / f"{name}.queuedb"

    def tidy(self) -> None:
        """Remove what one benchmark left, but for what others share."""
        for path in self.directory.iterdir():
            if not path.name.startswith(SHARED):
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def say(self, text: str) -> None:
        """Tell the person who waits."""
        print(f"  {text}", file=sys.stderr, flush=True)

    @cached_property
    def left(self) -> Left:
        """The many jobs that 32 connections left, made when first asked for. Copy it before use."""
        database = self.database(SHARED)
        with serving(database) as server:
            empty = server.resident
            jobs = self._fill(server)
            grown = server.resident - empty
        return Left(database, jobs, database.stat().st_size, grown)

    def _fill(self, server: Server) -> int:
        jobs, seconds = 0, 1.0
        while (missing := self.scale.jobs - jobs) > 0:
            outcome = load("create", server.port, seconds=seconds)
            jobs += outcome.requests
            self.say(f"filled with {jobs:,} jobs")
            seconds = min(10, max(1, missing / outcome.rate))
        return jobs
