"""The `bundle` runner: each job brings a directory with a `run.sh`, and gets it back as it is afterwards."""

import asyncio
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from msgspec import Raw, Struct, json, structs

from jobengine.archive.limits import ArchiveLimits
from jobengine.archive.reading import Archive
from jobengine.archive.writing import pack
from jobengine.errors import ArchiveRefused
from jobengine.work.carried import carried
from jobengine.work.conditions import Conditions
from jobengine.work.directory import hand_over
from jobengine.work.outcome import Kind, Refused
from jobengine.work.program import Program, ProgramRunner
from jobengine.work.runner import LogSink
from jobengine.work.source import Claimed
from jobengine.work.spawner.process import Ended
from jobengine.work.spawner.spawner import Spawner
from jobengine.work.wanted import wanted

SCRIPT: Final = "run.sh"


class Wanted(Struct, frozen=True, forbid_unknown_fields=True):
    """The content of such a job."""

    archive: Raw  # base64 of a zip file


_WANTED: Final = json.Decoder(Wanted)


class Bundle:
    """The directory that a job brings, packed."""

    def __init__(self, job: Claimed, limits: ArchiveLimits) -> None:
        """Raises Refused for a job that brings none. It is not looked into yet."""
        self.archive = wanted(_WANTED, job.content, like='{"archive"}').archive
        self._limits = limits

    def unpack(self, directory: Path) -> None:
        """All of it, with a script that can be executed. Raises Refused, and OSError; it takes a while."""
        archive = self._checked()
        try:
            archive.unpack(directory)
        except ArchiveRefused as refused:
            raise Refused(Kind.ARCHIVE, refused.detail) from None
        (directory / SCRIPT).chmod(0o700)

    def check(self) -> None:
        """That it can be unpacked, as far as that is known before. Raises Refused; it takes a while."""
        self._checked()

    def _checked(self) -> Archive:
        data = BytesIO()
        for piece in carried(self.archive, name="archive"):
            data.write(piece)
        try:
            archive = Archive(data.getvalue(), self._limits)
        except ArchiveRefused as refused:
            raise Refused(Kind.ARCHIVE, refused.detail) from None
        if SCRIPT not in archive:
            raise Refused(Kind.ARCHIVE, f"there is no {SCRIPT} at the top of the archive")
        return archive


def command_in(directory: Path) -> tuple[str, ...]:
    """How its script is run: as its first line says, or by the shell of the system."""
    with (directory / SCRIPT).open("rb") as script:
        return (f"./{SCRIPT}",) if script.read(2) == b"#!" else ("/bin/sh", f"./{SCRIPT}")


def returned_bytes(limits: ArchiveLimits) -> int:
    """The most that may come back of such an archive: all that was in it, packed otherwise, and more."""
    return limits.bytes + limits.bytes // 16


def packed(directory: Path, limits: ArchiveLimits) -> bytes:
    """The directory as it is now. Raises Refused; it takes a while."""
    file = BytesIO()
    try:
        pack(directory, file, structs.replace(limits, bytes=returned_bytes(limits)))
    except ArchiveRefused as refused:
        raise Refused(Kind.ARCHIVE, refused.detail, retry=None) from None
    except OSError as error:
        text = f"its directory cannot be packed: {error.strerror}"
        raise Refused(Kind.ARCHIVE, text, retry=None) from None
    return file.getvalue()


class BundleRunner(ProgramRunner):
    """Runs the script of such a directory."""

    def __init__(
        self, job: Claimed, limits: ArchiveLimits, conditions: Conditions, spawner: Spawner, sink: LogSink
    ) -> None:
        """Raises Refused for a job that brings no archive."""
        super().__init__(conditions, spawner, sink)
        self._bundle = Bundle(job, limits)
        self._limits = limits

    async def prepare(self, directory: Path) -> Program:
        """Unpack it. Raises Refused, and OSError."""
        await asyncio.to_thread(self._bundle.unpack, directory)
        del self._bundle  # it is in the directory now, and may be large
        return Program(command_in(directory))

    async def hand_over(self, directory: Path) -> None:
        """As always, with the thousands of names that there may be. Raises OSError."""
        await asyncio.to_thread(hand_over, directory, self._conditions.user)

    async def collect(self, directory: Path, ended: Ended) -> dict[str, Any]:
        """What has become of the directory. Raises Refused."""
        if ended.not_started is not None:
            return {}
        return {"archive": await asyncio.to_thread(packed, directory, self._limits)}
