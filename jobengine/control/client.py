"""The other side of the control socket: asks the running server, and waits. Blocks; knows no event loop."""

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar, assert_never

import msgspec
from msgspec import Struct

from jobengine.control.address import connect, socket_path
from jobengine.control.protocol import (
    LINE_MOST_BYTES,
    SILENCE_SECONDS,
    Answer,
    Progress,
    Question,
    Refused,
    Result,
)
from jobengine.errors import ConfigurationWrong, Fatal, InputOutputFailed, StorageFull, Unreachable

ValueT = TypeVar("ValueT", bound=Struct)

_SILENT = "the server was asked, and did not answer to the end; its log says whether it did it"


def _unobserved(_progress: Progress) -> None:
    """Nobody watches."""


class Control:
    """A connection to the server of a database file, for one question."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    @classmethod
    def reach(cls, database: Path) -> "Control | None":
        """The server that serves this file; None when none can be reached."""
        try:
            return cls(connect(socket_path(database), seconds=SILENCE_SECONDS))
        except OSError:
            return None

    def ask(
        self, question: Question, value: type[ValueT], *, observe: Callable[[Progress], object] = _unobserved
    ) -> ValueT:
        """What the server answers, as a `value`. Closes the connection.

        Raises the Fatal that stands for a refusal; Unreachable when no answer comes.
        """
        with self._connection:
            for answer in self._answers(question):
                match answer:
                    case Progress():
                        observe(answer)
                    case Result():
                        return msgspec.json.decode(answer.value, type=value)
                    case Refused():
                        raise fatal(answer.code, answer.detail)
                    case _:
                        assert_never(answer)
        raise Unreachable(_SILENT)

    def _answers(self, question: Question) -> Iterator[Answer]:
        try:
            with suppress(
                BrokenPipeError, ConnectionResetError
            ):  # a server that refuses does not listen first
                self._connection.sendall(msgspec.json.encode(question) + b"\n")
            with self._connection.makefile("rb") as lines:
                while (line := lines.readline(LINE_MOST_BYTES)).endswith(b"\n"):
                    yield msgspec.json.decode(line, type=Answer)
        except (OSError, msgspec.DecodeError):
            raise Unreachable(_SILENT) from None


def fatal(code: str, detail: str) -> Fatal:
    """What ends a command that was refused this."""
    if code == ConfigurationWrong.code:
        return ConfigurationWrong(*detail.splitlines())
    if code == StorageFull.code:
        return InputOutputFailed(detail)
    known = {kind.code: kind for kind in Fatal.__subclasses__()}
    return known.get(code, Fatal)(detail)
