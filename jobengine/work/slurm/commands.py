"""Slurm's own programs on this machine."""

import asyncio
import re
import shutil
from pathlib import Path
from typing import Final

from msgspec import Struct

from jobengine.errors import ConfigurationWrong
from jobengine.model.log import Stream
from jobengine.work.conditions import PATH, Conditions
from jobengine.work.output import Output
from jobengine.work.slurm.job import Unreachable
from jobengine.work.spawner.launch import Launch
from jobengine.work.spawner.limits import Limits
from jobengine.work.spawner.process import Ended, Process
from jobengine.work.spawner.spawner import Spawner

_SECONDS: Final = 30.0  # that a command may take
_SAID_MOST: Final = 64 * 1024  # bytes
_TEXT_MOST: Final = 300
# Nothing in it that the job's user can name. Its end is told as wait(2) does, or as 3:0.
_FORMAT: Final = "--Format=State:30,exit_code:30"
_STATE: Final = re.compile(r"([A-Z_]+)\s+(\d+)(?::(\d+))?\s*")


class State(Struct, frozen=True):
    """What Slurm says of a job."""

    name: str  # PENDING, RUNNING, COMPLETED, …
    exit_code: int
    signal: int


class _Said(Struct):
    exit_code: int | None
    out: str
    errors: str


class Commands:
    """`sbatch`, `squeue`, `scontrol` and `scancel`. All may raise Unreachable."""

    def __init__(self, conditions: Conditions, spawner: Spawner) -> None:
        self._conditions = conditions
        self._spawner = spawner

    async def submit(self, *options: str, script: Path, directory: Path) -> int:
        """The number of a new job, whose limits are those of this queue."""
        argv = ("sbatch", "--parsable", "--no-requeue", f"--chdir={directory}", *options, str(script))
        said = await self._succeed(*argv, as_user=True, home=directory)
        try:
            return int(said.partition(";")[0])
        except ValueError:
            raise Unreachable("sbatch answered no number") from None

    async def known(self, name: str) -> list[tuple[int, Path]]:
        """Jobs of this name, each with the directory in which it runs; of those that are over the last ones.

        Slurm forgets a job some time after its end: `MinJobAge`, 5 minutes if its configuration does not say
        otherwise.
        """
        argv = ("squeue", "--me", "--noheader", f"--name={name}", "--states=all", "--format=%i %Z")
        said = await self._succeed(*argv, as_user=True)
        lines = (line.strip().partition(" ") for line in said.splitlines())
        return [(int(number), Path(directory)) for number, _, directory in lines if number.isdecimal()]

    async def state(self, number: int) -> State | None:
        """How a job is; None when Slurm knows it no longer."""
        said = await self._run("squeue", "--noheader", "--states=all", f"--jobs={number}", _FORMAT)
        if "Invalid job id" in said.errors:
            return None
        found = _STATE.fullmatch(said.out)
        if found is None:
            raise Unreachable(f"squeue: {_text(said)}")
        name, status, signal = found.groups()
        if signal is not None:
            return State(name, int(status), int(signal))
        return State(name, int(status) >> 8, int(status) & 0x7F)

    async def suspend(self, number: int) -> bool:
        """Let it stand still, for which one must be an operator of the cluster; or not begin."""
        return await self._is_done("suspend", number) or await self._is_done("hold", number)

    async def resume(self, number: int) -> None:
        """Let it go on, or begin."""
        await self._is_done("resume", number)
        await self._is_done("release", number)

    async def cancel(self, number: int) -> None:
        """End it."""
        await self._succeed("scancel", str(number))

    async def _is_done(self, verb: str, number: int) -> bool:
        return (await self._run("scontrol", verb, str(number))).exit_code == 0

    async def _succeed(self, *argv: str, as_user: bool = False, home: Path = Path("/")) -> str:
        said = await self._run(*argv, as_user=as_user, home=home)
        if said.exit_code != 0:
            raise Unreachable(f"{argv[0]}: {_text(said)}")
        return said.out

    async def _run(self, *argv: str, as_user: bool = False, home: Path = Path("/")) -> _Said:
        launch = Launch(
            argv=argv,
            directory=Path("/"),
            environment=self._conditions.environment_in(home),
            limits=self._conditions.limits if as_user else Limits(processes=None),
            user=self._conditions.user if as_user else None,
        )
        try:
            return await _see(await self._spawner.spawn(launch))
        except OSError as error:
            raise Unreachable(f"{argv[0]} could not be started: {error.strerror}") from None


def check_programs() -> None:
    """That Slurm's programs are here. Raises ConfigurationWrong."""
    for program in ("sbatch", "squeue", "scontrol", "scancel"):
        if shutil.which(program, path=PATH) is None:
            raise ConfigurationWrong(
                f"run.type: slurm needs {program} on this machine (`apt-get install slurm-client`), "
                "or the URL of a service in run.slurm.url"
            )


async def _see(process: Process) -> _Said:
    kept = {stream: bytearray() for stream in Stream}

    async def keep(stream: Stream, _offset: int, data: bytes) -> None:
        kept[stream] += data

    output = Output({Stream.OUT: process.output, Stream.ERR: process.errors}, keep, log_bytes=_SAID_MOST)
    ended = await _in_time(process)
    await output.finish()
    out, errors = (kept[stream].decode(errors="replace") for stream in (Stream.OUT, Stream.ERR))
    return _Said(ended.exit_code, out, errors)


async def _in_time(process: Process) -> Ended:
    try:
        async with asyncio.timeout(_SECONDS):
            return await process.ended()
    except TimeoutError:
        await process.stop(0)
        return await process.ended()


def _text(said: _Said) -> str:
    return " ".join(said.errors.split())[:_TEXT_MOST] or "it did not work, and said nothing"
