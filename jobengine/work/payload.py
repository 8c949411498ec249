"""The `payload` runner: one program for all jobs of a queue, each of which brings the data for it."""

import asyncio
import shlex
from pathlib import Path
from typing import Any, Final

from msgspec import Raw, Struct, json

from jobengine.model.log import Stream
from jobengine.work.carried import carried
from jobengine.work.conditions import Conditions
from jobengine.work.left import left_file
from jobengine.work.outcome import Kind, Refused
from jobengine.work.program import Program, ProgramRunner
from jobengine.work.runner import LogSink
from jobengine.work.source import Claimed
from jobengine.work.spawner.process import Ended
from jobengine.work.spawner.spawner import Spawner
from jobengine.work.wanted import wanted

_REQUEST: Final = "request"
_RESPONSE: Final = "response"
_NAME_MOST: Final = 1024  # characters of a job's own name
_AT_ONCE: Final = 64 * 1024  # bytes that are not worth a thread


class Wanted(Struct, frozen=True, forbid_unknown_fields=True):
    """The content of such a job."""

    id: str
    data: Raw  # base64


class PayloadSettings(Struct, frozen=True):
    """What a queue runs."""

    command: tuple[str, ...]
    response_bytes: int


_WANTED: Final = json.Decoder(Wanted)


class PayloadRunner(ProgramRunner):
    """Runs the program with the data in one file, and takes the answer from another."""

    def __init__(
        self,
        job: Claimed,
        slot: int,
        settings: PayloadSettings,
        conditions: Conditions,
        spawner: Spawner,
        sink: LogSink,
    ) -> None:
        """Raises Refused for a job that brings no data."""
        self._said = _Said(sink)
        super().__init__(conditions, spawner, self._said.take)
        self._slot = slot
        self._settings = settings
        self._wanted = wanted(_WANTED, job.content, like='{"id", "data"}')
        if "\0" in self._wanted.id or len(self._wanted.id) > _NAME_MOST:
            raise Refused(Kind.CONTENT, f'"id" has a NUL character, or more than {_NAME_MOST} characters')

    async def prepare(self, directory: Path) -> Program:
        """Put the data into a file. Raises Refused, and OSError."""
        if len(memoryview(self._wanted.data)) > _AT_ONCE:
            await asyncio.to_thread(self._write, directory / _REQUEST)
        else:
            self._write(directory / _REQUEST)
        command = self._settings.command
        environment = {
            "JOBRUNNER_CMD": shlex.join(command),
            "JOBRUNNER_WORKER_ID": str(self._slot),
            "JOBRUNNER_REQUEST_ID": self._wanted.id,
            "JOBRUNNER_REQUEST_DATA_FN": str(directory / _REQUEST),
            "JOBRUNNER_RESPONSE_DATA_FN": str(directory / _RESPONSE),
        }
        return Program(command, environment)

    async def collect(self, directory: Path, ended: Ended) -> dict[str, Any]:  # noqa: ARG002 - whatever its end
        """The answer, and all that it printed. Raises Refused."""
        most = self._settings.response_bytes
        return {
            "request_id": self._wanted.id,
            "worker_id": self._slot,
            "output": self._said.of(Stream.OUT),
            "errors": self._said.of(Stream.ERR),
            "data": await asyncio.to_thread(left_file, directory, _RESPONSE, most_bytes=most),
        }

    def _write(self, path: Path) -> None:
        with path.open("xb") as file:
            for piece in carried(self._wanted.data, name="data"):
                file.write(piece)


class _Said:
    """What the program prints, on its way to the log. It is kept: no more than the log takes comes by."""

    def __init__(self, sink: LogSink) -> None:
        self._sink = sink
        self._kept = {stream: bytearray() for stream in Stream}
        self._ends = dict.fromkeys(Stream, 0)

    async def take(self, stream: Stream, offset: int, data: bytes) -> None:
        if (gap := offset - self._ends[stream]) > 0:
            self._kept[stream] += f"\n[… {gap} bytes cut …]\n".encode()
        self._kept[stream] += data
        self._ends[stream] = offset + len(data)
        await self._sink(stream, offset, data)

    def of(self, stream: Stream) -> bytes:
        return bytes(self._kept[stream])
