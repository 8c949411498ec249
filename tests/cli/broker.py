"""A running broker, and `jobengine` asking it."""

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

from msgspec import Struct

from jobengine.cli.main import main
from tests.support.server import ServerProcess

CONFIGURATION = {
    "admin": ["ops"],
    "queues": {
        "mail": {"read": ["ops"], "write": ["ops"], "max_attempts": 2, "dead_letter": "dead"},
        "dead": {"read": ["ops"], "write": ["ops"]},
        "empty": {"read": ["ops"], "write": ["ops"]},
        "secret": {"read": [], "write": []},
    },
}


class Done(Struct, frozen=True):
    """How a command ended, and what it said."""

    returncode: int
    stdout: bytes
    stderr: bytes


class Terminal:
    """Somebody who types commands, in the name of `ops`. They run in this very process: that is quicker."""

    def __init__(self, server: ServerProcess, home: Path) -> None:
        self.url = f"http://127.0.0.1:{server.port}"
        self._home = home

    def type(self, *words: str, stdin: bytes = b"", name: str = "ops", **environment: str) -> Done:
        """What the command answers, and how it ends."""
        where = {
            "JOBENGINE_URL": self.url,
            "JOBENGINE_NAME": name,
            "XDG_CONFIG_HOME": str(self._home),
        }
        with (
            patch.dict(os.environ, where | environment),
            patch.object(sys, "argv", ["jobengine", *words]),
            patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin))),
            redirect_stdout(io.TextIOWrapper(io.BytesIO())) as said,
            redirect_stderr(io.TextIOWrapper(io.BytesIO())) as wrong,
        ):
            return Done(_exit_code(), _bytes(said), _bytes(wrong))

    def say(self, *words: str, stdin: bytes = b"") -> str:
        """What it says, when all goes well."""
        done = self.type(*words, stdin=stdin)
        assert (done.returncode, done.stderr) == (0, b""), done
        return done.stdout.decode()

    def ask(self, *words: str, stdin: bytes = b"") -> Any:
        """What it answers to a program, when all goes well."""
        return json.loads(self.say(*words, "-o", "json", stdin=stdin))

    def refused(self, *words: str, name: str = "ops") -> tuple[int, str]:
        """How it ends, and the one line that it says."""
        done = self.type(*words, name=name)
        assert (done.stdout, done.stderr.count(b"\n")) == (b"", 1), done
        return done.returncode, done.stderr.decode().rstrip("\n")


def _exit_code() -> int:
    try:
        main()
    except SystemExit as exit_:
        return int(exit_.code or 0)
    return 0


def _bytes(stream: "io.TextIOWrapper[io.BytesIO]") -> bytes:
    stream.flush()
    return stream.buffer.getvalue()
