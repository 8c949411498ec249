"""New files under load: a server is asked to compact, or to change its SECRET, without a pause."""

from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from threading import Thread

from jobengine.control.client import Control
from jobengine.control.protocol import Compact, Question, Rekey
from jobengine.engine.interface import Compacted
from jobengine.errors import Fatal, Unreachable, WrongSecret
from jobengine.journal.header import FRAMES_START, read_header
from jobengine.journal.keys import Secret


class Renewals:
    """Asks for a new file again and again, until the server is gone."""

    def __init__(self, database: Path, secret: str) -> None:
        self.finished = 0
        self.secrets = {secret}  # one of them opens the file now
        self.refusals: list[str] = []
        self._present = self._newest = secret
        self._database = database
        self._thread: Thread | None = None

    def begin(self, *, rekey: bool) -> None:
        """Begin to ask, from a thread."""
        self._thread = Thread(target=self._ask_on, args=[self._rekey if rekey else Compact])
        self._thread.start()

    def end(self) -> None:
        """Wait until the thread has seen that the server is gone."""
        if self._thread is not None:
            self._thread.join()

    def secret(self) -> str:
        """The one that opens the file. Raises ValueError unless it is exactly one."""
        (secret,) = [secret for secret in self.secrets if opens(self._database, secret)]
        return secret

    def _ask_on(self, question: Callable[[], Question]) -> None:
        while control := Control.reach(self._database):
            try:
                control.ask(question(), Compacted)
            except Unreachable:
                return
            except Fatal as refusal:
                self.refusals.append(refusal.detail)
            else:
                self.finished += 1
                self._present = self._newest
            self.secrets = {self._present}

    def _rekey(self) -> Question:
        self._newest = f"hex:{token_hex(32)}"
        self.secrets = {self._present, self._newest}
        return Rekey(self._present, self._newest)


def opens(database: Path, secret: str) -> bool:
    """Whether this SECRET opens that file."""
    header, _ = read_header(database.read_bytes()[:FRAMES_START])
    try:
        header.unlock(Secret.parse(secret))
    except WrongSecret:
        return False
    return True
