"""The `shell` runner: a program and its arguments, which the job names."""

from pathlib import Path
from typing import Final

from msgspec import UNSET, Struct, UnsetType, json

from jobengine.work.conditions import Conditions
from jobengine.work.outcome import Kind, Refused
from jobengine.work.program import Program, ProgramRunner
from jobengine.work.runner import LogSink
from jobengine.work.source import Claimed
from jobengine.work.spawner.spawner import Spawner
from jobengine.work.wanted import wanted


class Wanted(Struct, frozen=True, forbid_unknown_fields=True):
    """The content of such a job: one of the first two."""

    argv: tuple[str, ...] | UnsetType = UNSET
    command: str | UnsetType = UNSET  # for /bin/sh
    environment: dict[str, str] = {}


class ShellSettings(Struct, frozen=True):
    """What a queue allows."""

    allow_shell: bool
    command_length: int  # bytes


_WANTED: Final = json.Decoder(Wanted)


class ShellRunner(ProgramRunner):
    """Runs it."""

    def __init__(
        self, job: Claimed, settings: ShellSettings, conditions: Conditions, spawner: Spawner, sink: LogSink
    ) -> None:
        """Raises Refused for a job that is not what this queue runs."""
        super().__init__(conditions, spawner, sink)
        asked = wanted(_WANTED, job.content, like='{"argv": ["ls", "-l"]}')
        self._program = Program(_argv(asked, settings), asked.environment)
        _check(self._program, settings, conditions)

    async def prepare(self, directory: Path) -> Program:  # noqa: ARG002 - it needs nothing there
        """What the job names."""
        return self._program


def _argv(asked: Wanted, settings: ShellSettings) -> tuple[str, ...]:
    match asked.argv, asked.command:
        case (tuple() as argv, UnsetType()) if argv and argv[0]:
            return argv
        case (UnsetType(), str() as command) if settings.allow_shell:
            return "/bin/sh", "-c", command
        case (UnsetType(), str()):
            text = 'commands for a shell are not allowed on this queue (run.allow_shell): give {"argv": […]}'
            raise Refused(Kind.CONTENT, text)
    raise Refused(
        Kind.CONTENT, 'the content must be {"argv": ["ls", "-l"]}, with a program and its arguments'
    )


def _check(program: Program, settings: ShellSettings, conditions: Conditions) -> None:
    if sum(len(word.encode()) + 1 for word in program.argv) - 1 > settings.command_length:
        raise Refused(
            Kind.CONTENT, f"the command has more than {settings.command_length} bytes (run.command_length)"
        )
    if not program.environment.keys() <= conditions.names:
        raise Refused(
            Kind.CONTENT, "it sets a name of the environment that run.pass_environment does not list"
        )
    if any("\0" in word for word in (*program.argv, *program.environment.values())):
        raise Refused(Kind.CONTENT, "there is a NUL character in the command or its environment")
