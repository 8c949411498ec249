"""What the runners have in common that start a program."""

import re
from abc import abstractmethod
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGKILL, SIGXCPU, SIGXFSZ, Signals
from typing import Any, Final

import structlog
from msgspec import Struct, json, structs

from jobengine.model.log import Stream
from jobengine.work.conditions import Conditions
from jobengine.work.directory import hand_over, make_directory, remove_directory
from jobengine.work.outcome import Broken, Done, Halted, Kind, Outcome, Refused
from jobengine.work.output import Output
from jobengine.work.runner import LogSink, Runner
from jobengine.work.spawner.launch import Launch
from jobengine.work.spawner.process import Ended, NotStarted, Reason
from jobengine.work.spawner.sandbox import is_there
from jobengine.work.spawner.spawner import Spawner

_BY_SIGNAL: Final = (
    128  # added by a shell, and by the sandbox, to the number of the signal that ended a program
)
_NEARLY: Final = 0.9  # of the memory that it may have
_NO_MEMORY: Final = re.compile(
    rb"cannot allocate memory|memoryerror|out ?of ?memory|bad_alloc|memory exhausted", re.I
)

log = structlog.get_logger(__name__)


class Program(Struct, frozen=True):
    """What to start, and what to tell it besides what all are told."""

    argv: tuple[str, ...]
    environment: dict[str, str] = {}


class ProgramRunner(Runner):
    """Runs one program in a directory of its own."""

    def __init__(self, conditions: Conditions, spawner: Spawner, sink: LogSink) -> None:
        self._conditions = conditions
        self._spawner = spawner
        self._sink = sink
        self._is_stopped = False
        self._left = AsyncExitStack()  # what is to be cleaned

    @abstractmethod
    async def prepare(self, directory: Path) -> Program:
        """Put what it needs into its directory, which is still the worker's own, and say what to start.

        Raises Refused, and OSError.
        """

    async def hand_over(self, directory: Path) -> None:
        """Give it to the user of the program. Raises OSError."""
        hand_over(directory, self._conditions.user)

    async def collect(self, directory: Path, ended: Ended) -> dict[str, Any]:  # noqa: ARG002 - for those who need it
        """What more there is to tell in its result. Raises Refused."""
        return {}

    async def start(self) -> None:
        """Begin. Raises Refused."""
        try:
            self._directory = make_directory(self._conditions.parent)
            self._left.push_async_callback(remove_directory, self._directory, self._spawner)
            program = await self.prepare(self._directory)
            await self.hand_over(self._directory)
            self._process = await self._spawner.spawn(self._launch(program, self._directory))
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise Refused(Kind.NOT_STARTED, f"it could not be started here: {reason}", retry=None) from None
        pipes = {Stream.OUT: self._process.output, Stream.ERR: self._process.errors}
        self._output = Output(pipes, self._sink, log_bytes=self._conditions.log_bytes)
        self._left.callback(self._output.close)

    async def ended(self) -> Outcome:
        """Its outcome, with its result."""
        ended = self._seen(await self._process.ended())
        if refusal := await self._output.finish():
            log.warning("log_refused", reason=refusal.detail)
        if ended.is_lost:
            return Broken(Kind.ERROR, "nobody saw its end: the process that had started it was killed")
        result = _told(ended)
        try:
            result |= await self.collect(self._directory, ended)
        except Refused as refused:
            return structs.replace(refused.broken, result=json.encode(result))
        return self._outcome(ended, json.encode(result))

    async def halt(self) -> Halted | None:
        """Stand still, here."""
        self._process.halt()
        return None

    async def resume(self) -> None:
        """Go on."""
        self._process.resume()

    async def stop(self) -> None:
        """Ask it to end, and end it after the grace."""
        self._is_stopped = True
        await self._process.stop(self._conditions.grace_seconds)

    async def clean(self) -> None:
        """Remove its directory."""
        await self._left.aclose()

    def details(self) -> dict[str, Any] | None:
        """Nobody can tell how far a program has come."""
        return None

    def _launch(self, program: Program, directory: Path) -> Launch:
        environment = self._conditions.environment_in(directory) | program.environment
        if self._conditions.bubblewrap and not is_there(program.argv[0], directory, environment["PATH"]):
            raise Refused(Kind.NOT_FOUND, "there is no such program on this machine", retry=None)
        return Launch(
            argv=self._conditions.enclose(program.argv, directory),
            directory=directory,
            environment=environment,
            limits=self._conditions.limits,
            user=self._conditions.user,
            is_sandboxed=self._conditions.bubblewrap is not None,
        )

    def _seen(self, ended: Ended) -> Ended:
        """As it ended in the sandbox, which can tell signals by exit codes only."""
        code = ended.exit_code or 0
        if self._conditions.bubblewrap is None or code - _BY_SIGNAL not in set(Signals):
            return ended
        return structs.replace(ended, exit_code=None, signal=Signals(code - _BY_SIGNAL))

    def _outcome(self, ended: Ended, result: bytes) -> Outcome:
        if ended.not_started is not None:
            return _not_started(ended.not_started, result)
        if self._is_stopped:
            return Broken(Kind.STOPPED, "it was stopped", result, retry=False)
        if ended.exit_code == 0:
            return Done(result)
        return Broken(*self._why(ended), result)

    def _why(self, ended: Ended) -> tuple[Kind, str]:
        limits = self._conditions.limits
        number = ended.signal or (ended.exit_code or 0) - _BY_SIGNAL
        if (seconds := limits.cpu_seconds) is not None and (
            number == SIGXCPU or (number == SIGKILL and ended.cpu_seconds >= seconds)
        ):
            return Kind.CPU, f"it used more than {seconds} s of CPU time"
        if number == SIGXFSZ:
            return Kind.FILE_SIZE, f"it wrote a file of more than {limits.file_bytes} bytes"
        if limits.memory_bytes is not None and self._lacked_memory(ended, limits.memory_bytes):
            return Kind.MEMORY, f"it got no more than its {limits.memory_bytes} bytes of memory"
        if ended.signal is not None:
            return Kind.SIGNAL, f"it was ended by {ended.signal_name}"
        return Kind.EXIT_CODE, f"it ended with exit code {ended.exit_code}"

    def _lacked_memory(self, ended: Ended, limit: int) -> bool:
        """The kernel only refuses, and does not tell: how much it had, or what it said last, must do."""
        return ended.memory_bytes > _NEARLY * limit or bool(
            _NO_MEMORY.search(self._output.last_words(Stream.ERR))
        )


def _not_started(why: NotStarted, result: bytes) -> Broken:
    match why.reason:
        case Reason.NOT_FOUND:
            return Broken(Kind.NOT_FOUND, "there is no such program on this machine", result)
        case Reason.NOT_EXECUTABLE:
            return Broken(Kind.NOT_FOUND, f"the program cannot be executed: {why}", result)
        case Reason.DIRECTORY:
            text = f"its directory is out of reach for its user: {why}; see run.user and work.directory"
            return Broken(Kind.NOT_STARTED, text, result)
        case Reason.PREPARE:
            return Broken(Kind.NOT_STARTED, f"it could not be started here: {why}", result)


def _told(ended: Ended) -> dict[str, Any]:
    return {
        "exit_code": ended.exit_code,
        "signal": ended.signal_name,
        "started": datetime.fromtimestamp(ended.started_at, UTC) if ended.started_at else None,
        "seconds": round(ended.seconds, 6),
        "cpu_seconds": round(ended.cpu_seconds, 6),
        "memory_bytes": ended.memory_bytes,
    }
