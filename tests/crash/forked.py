"""The command `jobengine` as a process of its own that begins at once.

Two thirds of a second of each start go into importing. A process that has done that is forked instead, and
from then on is the same program: `multiprocessing` keeps it, and tells how each child has ended.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path
from subprocess import TimeoutExpired
from typing import Final

from jobengine.cli.main import main
from tests.support.server import ServerProcess

IMPORTED: Final = ["tests.crash.imported"]


class Forked:
    """Looks like `subprocess.Popen`."""

    def __init__(self, arguments: Sequence[str | Path], environment: Mapping[str, str], log: Path) -> None:
        context = get_context("forkserver")
        context.set_forkserver_preload(IMPORTED)
        words = ["jobengine", *map(str, arguments)]
        self._process = context.Process(target=_become, args=(words, dict(environment), log))
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, or the signal that ended it, below zero; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The same."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Until it has ended: how. Raises TimeoutExpired."""
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise TimeoutExpired(str(self.pid), timeout or 0)
        return code

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()


class ForkedServer(ServerProcess):
    """A server that is there at once. Its SECRET stands in a file: hiding it needs another start."""

    def launch(self) -> None:
        """Start the process, and do not wait for it."""
        environment = dict(self._environment)
        secret = self.configuration.with_name("secret")
        secret.write_text(environment.pop("SECRET"))
        secret.chmod(0o600)
        files = ["--config", self.configuration, "--db", self.database, "--port", str(self.port)]
        self.process = Forked(["serve", *files], environment | {"SECRET_FILE": str(secret)}, self._log)


def _become(words: list[str], environment: dict[str, str], log: Path) -> None:
    """Be the command with these words."""
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[:] = words
    main()
