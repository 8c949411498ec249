"""The spawner's own process: starts the starters, and sees to it that nothing of what they start is left.

One packet is one JSON object. The worker asks with {"profile": "…"}, a user and limits, and is answered by
{"profile": "…", "starter": 4711} with the connection to that starter, or by {"profile": "…", "errno": 11}.
With {"end": 4711} it wants it ended. A program can kill its starter, whose user it is: this process adopts
what is left then, ends it, and says {"gone": 4711}, as of every starter that has ended.

Standard library only, so that it starts quickly and holds nothing that a program may not see.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

from jobengine.work.spawner import kernel
from jobengine.work.spawner.connection import receive, send, taken_over
from jobengine.work.spawner.orphans import end_children, ended_children, give
from jobengine.work.spawner.waking import Waking

_PLACE: Final = str(Path(__file__).parents[3])


def command(module: str, *arguments: str) -> tuple[str, ...]:
    """Runs `main` of a module of this folder, whatever the environment or a user's settings say to Python."""
    line = "import sys; sys.path.insert(0, sys.argv[1]); from {} import main; main(*sys.argv[2:])"
    code = line.format(f"jobengine.work.spawner.{module}")
    return sys.executable, "-I", "-S", "-c", code, _PLACE, *arguments


class Server:
    """Runs as long as the worker holds the other end of the connection."""

    def __init__(self, worker: socket.socket, waking: Waking) -> None:
        self._worker = worker
        self._waking = waking
        self._starters: set[int] = set()
        waking.watch(worker)

    def serve(self) -> None:
        """Until the worker is gone; then nothing that was started is left."""
        is_wanted = True
        while is_wanted:
            ready, signals = self._waking.wait(None)
            is_wanted = signal.SIGUSR1 not in signals
            self._reap()
            if self._worker.fileno() in ready:
                is_wanted = is_wanted and self._receive()
        end_children(but=())

    def _receive(self) -> bool:
        packet, _ = receive(self._worker)
        if not packet:
            return False
        asked = json.loads(packet)
        if "profile" in asked:
            self._start(asked["profile"])
        elif asked["end"] in self._starters:
            give(asked["end"], signal.SIGKILL)
        return True

    def _start(self, profile: str) -> None:
        try:
            mine, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with mine, other:
                starter = _start(profile, other)
                self._starters.add(starter)
                self._tell([mine.fileno()], profile=profile, starter=starter)
        except OSError as error:
            self._tell(profile=profile, errno=error.errno)

    def _reap(self) -> None:
        gone = []
        for child in ended_children():
            os.waitpid(child, 0)
            if child in self._starters:
                self._starters.discard(child)
                gone.append(child)
        if gone:
            end_children(
                but=self._starters
            )  # what was adopted was theirs: the others adopt what is their own
        for starter in gone:
            self._tell(gone=starter)

    def _tell(self, descriptors: list[int] | None = None, /, **what: object) -> None:
        send(self._worker, json.dumps(what).encode(), descriptors or ())


def _start(profile: str, connection: socket.socket) -> int:
    number = connection.fileno()
    process = subprocess.Popen(  # noqa: S603 - this file's own command
        command("starter", str(number), str(os.getpid()), profile), pass_fds=[number], env={}, cwd="/"
    )
    process.returncode = 0  # it is reaped with all the others
    return process.pid


def main(connection: str, worker: str) -> None:
    """Serve the worker whose end of the connection this is."""
    mine = taken_over(int(connection))
    waking = Waking()
    _be_preferred_by_the_oom_killer()
    kernel.hide_memory()
    kernel.adopt_orphans()
    with contextlib.suppress(ProcessLookupError):  # then the connection is at its end, too
        kernel.end_with(int(worker), signal.SIGUSR1)
    Server(mine, waking).serve()


def _be_preferred_by_the_oom_killer() -> None:
    """Out of memory, the kernel takes a run before the server. Best effort: some containers forbid it."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")
