"""A job of the cluster that this machine belongs to."""

import asyncio
import os
import shlex
import stat
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import structlog
from msgspec import json

from jobengine.archive.limits import ArchiveLimits
from jobengine.work.bundle import Bundle, command_in, packed
from jobengine.work.conditions import Conditions
from jobengine.work.directory import PREFIX, hand_over, make_directory, remove_directory
from jobengine.work.outcome import Broken, Done, Kind, Outcome, Refused
from jobengine.work.runner import LogSink
from jobengine.work.slurm.commands import Commands, State
from jobengine.work.slurm.ending import ENDS, EXIT, exit_of, why
from jobengine.work.slurm.job import Saved, Unreachable
from jobengine.work.slurm.written import Written
from jobengine.work.source import Claimed
from jobengine.work.spawner.spawner import Spawner

log = structlog.get_logger(__name__)

_SUBMITTED: Final = "submitted"  # the worker's note of the job that runs there, and its number
# It outlives the SIGTERM that Slurm sends first: of what has no parent any more Slurm may lose track.
_SCRIPT: Final = """#!/bin/sh
trap : TERM
started=$(date +%s)
{command}
code=$?
echo "$code $started $(date +%s)" >{exit}.part && mv {exit}.part {exit}
exit $code
"""


class ClusterJob:
    """One job, in a directory that all nodes see: the worker's own, in which two are its user's.

    | `bundle/` what the job brings; the script runs there | `record/` out, err, and how it ended |
    """

    def __init__(
        self,
        job: Claimed,
        limits: ArchiveLimits,
        conditions: Conditions,
        spawner: Spawner,
        sink: LogSink,
        *,
        options: tuple[str, ...],
    ) -> None:
        """`options` are for sbatch. Raises Refused for a job that brings no archive."""
        self._bundle = Bundle(job, limits)
        # The content too, for a database that was begun anew counts from 1 again.
        self._name = f"jobengine-{job.queue}-{job.uid}-{sha256(job.content).hexdigest()[:16]}"
        self._limits = limits
        self._conditions = conditions
        self._spawner = spawner
        self._sink = sink
        self._options = (f"--job-name={self._name}", *options)
        self._commands = Commands(conditions, spawner)
        self._directory: Path | None = None  # to be removed
        self._is_in_doubt = False  # whether Slurm has it
        self._details: dict[str, Any] = {}

    async def submit(self) -> Saved:
        """Give it to Slurm, unless a worker that was killed already has. Raises Refused."""
        try:
            return await self._found() or await self._submit_new()
        except Unreachable as error:
            raise Refused(Kind.NOT_STARTED, f"Slurm did not take it: {error}", retry=None) from None
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise Refused(Kind.NOT_STARTED, f"it could not be started here: {reason}", retry=None) from None

    async def go_on(self, saved: Saved) -> bool:
        """Take it over. One that stands still goes on."""
        directory = Path(saved.directory or "/")
        is_it = await asyncio.to_thread(self._is_submitted, saved.slurm_id, directory)
        if is_it:
            await self._take(saved.slurm_id, directory)
            await self.resume()
        return is_it

    async def look(self) -> Outcome | None:
        """Its outcome, with its directory. Raises Unreachable."""
        state = await self._commands.state(self._number)
        if state is not None and state.name not in ENDS:
            await self._written.send_new()
            return None
        await self._written.finish()
        return await asyncio.to_thread(self._outcome, state)

    async def suspend(self) -> bool:
        """Let it stand still, or not begin."""
        try:
            return await self._commands.suspend(self._number)
        except Unreachable:
            return False

    async def resume(self) -> None:
        """Let it go on; what does not stand still is not changed by that."""
        await self._commands.resume(self._number)

    async def cancel(self) -> bool:
        """End it. Raises Unreachable."""
        await self._commands.cancel(self._number)
        return True

    async def clean(self, *, is_over: bool) -> None:
        """Remove its directory when nobody needs it any more."""
        if self._directory is None:
            return
        if is_over and not self._is_in_doubt:
            await remove_directory(self._directory, self._spawner)
        elif self._is_in_doubt:
            log.warning("slurm_may_run_it", name=self._name, directory=str(self._directory))

    def details(self) -> dict[str, Any]:
        """Its number, once Slurm has given it one."""
        return self._details

    # --- into Slurm ---

    async def _found(self) -> Saved | None:
        """One that was submitted already, by a worker that was killed before it could tell.

        It may be over by now: it has its directory until somebody has told how it ended.
        """
        for number, bundle in await self._commands.known(self._name):
            directory = bundle.parent
            if bundle.name == "bundle" and self._is_own(directory):
                await self._take(number, directory)
                await self.resume()
                return Saved(number, directory=str(directory))
        return None

    async def _submit_new(self) -> Saved:
        self._directory = directory = make_directory(self._conditions.parent)
        bundle, record = directory / "bundle", directory / "record"
        await asyncio.to_thread(self._prepare, directory)
        self._is_in_doubt = True  # until it is known that Slurm has it, or has not
        try:
            number = await self._commands.submit(
                *self._options,
                f"--output={record / 'out'}",
                f"--error={record / 'err'}",
                script=directory / "batch.sh",
                directory=bundle,
            )
        except Unreachable:
            found = await self._found()  # sbatch may have been cut off behind its work
            self._is_in_doubt = False
            if found is None:
                raise
            return found
        await self._take(number, directory)
        self._is_in_doubt = False
        return Saved(number, directory=str(directory))

    def _prepare(self, directory: Path) -> None:
        for name in ("bundle", "record"):
            (directory / name).mkdir(0o700)
        self._bundle.unpack(directory / "bundle")
        script = directory / "batch.sh"
        command = shlex.join(command_in(directory / "bundle"))
        script.write_text(_SCRIPT.format(command=command, exit=shlex.quote(str(directory / "record" / EXIT))))
        for name in ("bundle", "record"):
            hand_over(directory / name, self._conditions.user)
        script.chmod(0o755)
        directory.chmod(0o711)

    async def _take(self, number: int, directory: Path) -> None:
        self._number = number
        self._details = {"slurm_id": number}
        self._directory = self._place = directory
        self._written = Written(directory / "record", self._sink, log_bytes=self._conditions.log_bytes)
        await asyncio.to_thread((directory / _SUBMITTED).write_text, f"{self._name} {number}")

    def _is_submitted(self, number: int, directory: Path) -> bool:
        """Whether a worker has written there that this is so: nobody else can."""
        try:
            written = (directory / _SUBMITTED).read_text() if self._is_own(directory) else ""
        except (OSError, ValueError):
            return False
        return written == f"{self._name} {number}"

    def _is_own(self, directory: Path) -> bool:
        """Whether it is a directory that a worker has made for a run."""
        try:
            status = directory.lstat()
        except (OSError, ValueError):
            return False
        is_made_by_worker = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
        parent = self._conditions.parent or Path(tempfile.gettempdir())
        return is_made_by_worker and directory.parent == parent and directory.name.startswith(PREFIX)

    # --- out of Slurm ---

    def _outcome(self, state: State | None) -> Outcome:
        exit_ = exit_of(self._place / "record", state)
        result: dict[str, Any] = {"slurm_id": self._number, **({} if exit_ is None else exit_.told())}
        try:
            result["archive"] = packed(self._place / "bundle", self._limits)
        except Refused as refused:
            return Broken(refused.broken.kind, refused.broken.text, json.encode(result))
        if exit_ is not None and exit_.code == 0:
            return Done(json.encode(result))
        return Broken(*why(state, exit_), json.encode(result))
