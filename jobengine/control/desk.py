"""Where questions that come over the control socket are answered. Knows no sockets."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import assert_never

from jobengine import __version__
from jobengine.control.plan import Edit
from jobengine.control.protocol import Compact, Info, Plan, Question, Rekey, Serving
from jobengine.engine.interface import Compacted
from jobengine.engine.local import LocalEngine
from jobengine.errors import InputOutputFailed
from jobengine.journal.files import new_path
from jobengine.journal.header import FRAMES_START, read_header
from jobengine.journal.keys import Secret
from jobengine.settings.load import parse
from jobengine.settings.schema import Settings


class Desk:
    """Answers for one running engine."""

    def __init__(self, engine: LocalEngine, database: Path, *, plan: Callable[[Settings], Edit]) -> None:
        self._engine = engine
        self._database = database
        self._plan = plan

    async def answer(self, question: Question) -> Compacted | Edit | Serving:
        """Do what is asked. Raises the refusals of errors.py."""
        match question:
            case Compact():
                return await self._engine.compact()
            case Rekey(secret, new_secret):
                await asyncio.to_thread(check_secrets, self._database, secret, new_secret)
                return await self._engine.compact(new_secret)
            case Plan(configuration, source):
                wanted = await asyncio.to_thread(
                    parse, configuration.encode(), source=source, environment=os.environ
                )
                return self._plan(wanted)
            case Info():
                return self._serving()
            case _:
                assert_never(question)

    def _serving(self) -> Serving:
        return Serving(
            os.getpid(), __version__, str(self._database), self._engine.file_bytes(), self._engine.sequence()
        )


def bytes_written(database: Path) -> int:
    """How far the file has come that is to take the place of this one; 0 when there is none."""
    try:
        return new_path(Path(os.path.realpath(database))).stat().st_size
    except FileNotFoundError:
        return 0


def check_secrets(database: Path, secret: str, new_secret: str) -> None:
    """See that the one opens the database file, and that the other is one. Blocks for half a second.

    Raises WrongSecret, ConfigurationWrong, Damaged, InputOutputFailed.
    """
    try:
        with database.open("rb") as file:
            header, _ = read_header(file.read(FRAMES_START))
    except OSError as error:
        raise InputOutputFailed(f"reading {database} failed: {error.strerror}") from error
    header.unlock(Secret.parse(secret))
    Secret.parse(new_secret)
