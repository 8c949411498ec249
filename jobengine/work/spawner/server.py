"""The spawner's own process: has programs started, and sees to it that nothing of them is left.

One packet is one JSON object. The worker sends {"run": 1, "profile": "…", "launch": {…}} with the pipes for the
program's output, and {"run": 1, "signal": 15}; a profile is a user and limits, and has a starter of its own, to which
all this is handed on. What the starters answer is handed back. A program can kill its starter, whose user it is:
then this process adopts what is left, ends it, and says {"run": 1, "lost": true}. Standard library only.
"""

import contextlib
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from jobengine.work.spawner import kernel
from jobengine.work.spawner.connection import receive, send, taken_over
from jobengine.work.spawner.orphans import children, ended_children, kill
from jobengine.work.spawner.starting import Step
from jobengine.work.spawner.waking import Waking

_ANSWER_SECONDS: Final = 30.0  # a starter that takes longer to start a program stands still
_PAUSE_SECONDS: Final = 1.0
_END_SECONDS: Final = 5.0
_IDLE_MOST: Final = 8  # starters whose configuration may be gone
_PLACE: Final = str(Path(__file__).parents[3])


def command(module: str, *arguments: str) -> tuple[str, ...]:
    """Runs `main` of a module of this folder: without what the environment, or a user's settings, say to Python."""
    line = "import sys; sys.path.insert(0, sys.argv[1]); from {} import main; main(*sys.argv[2:])"
    return (
        sys.executable,
        "-I",
        "-S",
        "-c",
        line.format(f"jobengine.work.spawner.{module}"),
        _PLACE,
        *arguments,
    )


class _Starter:
    """The other end of one: which process it is, and which runs it has; each waits for its first answer since …"""

    def __init__(self, profile: str) -> None:
        self.connection, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            number = other.fileno()
            process = subprocess.Popen(  # noqa: S603 - this file's own command
                command("starter", str(number), str(os.getpid()), profile), pass_fds=[number], env={}, cwd="/"
            )
        process.returncode = 0  # it is reaped with all the others
        self.process = process.pid
        self.runs: dict[int, float | None] = {}


class Server:
    """Runs as long as the worker holds the other end of the connection."""

    def __init__(self, worker: socket.socket, waking: Waking) -> None:
        self._worker = worker
        self._waking = waking
        self._starters: dict[str, _Starter] = {}
        self._by_run: dict[int, _Starter] = {}
        waking.watch(worker)

    def serve(self) -> None:
        """Until the worker is gone; then nothing that was started is left."""
        is_wanted = True
        while is_wanted:
            ready, signals = self._waking.wait(_PAUSE_SECONDS if self._by_run else None)
            is_wanted = signal.SIGUSR1 not in signals
            for starter in list(self._starters.values()):
                if starter.connection.fileno() in ready:
                    self._hear(starter)
            if self._worker.fileno() in ready:
                is_wanted = is_wanted and self._receive()
            self._kill_who_stand_still()
            self._reap()
        for starter in self._starters.values():
            kill(starter.process)
        self._end_children(but=set())

    # --- the worker ---

    def _receive(self) -> bool:
        packet, pipes = receive(self._worker)
        if not packet:
            return False
        asked = json.loads(packet)
        if "launch" in asked:
            self._launch(asked["run"], asked["profile"], packet, pipes)
        elif starter := self._by_run.get(asked["run"]):
            send(starter.connection, packet)
        for pipe in pipes:
            os.close(pipe)
        return True

    def _launch(self, run: int, profile: str, packet: bytes, pipes: list[int]) -> None:
        try:
            starter = self._starters.get(profile) or self._start(profile)
        except OSError as error:
            self._tell(run, failed={"step": Step.PREPARE, "errno": error.errno})
            return
        starter.runs[run] = time.monotonic()
        self._by_run[run] = starter
        send(starter.connection, packet, pipes)

    def _tell(self, run: int, **what: object) -> None:
        send(self._worker, json.dumps({"run": run, **what}).encode())

    # --- the starters ---

    def _start(self, profile: str) -> _Starter:
        if len(self._starters) >= _IDLE_MOST:
            for known in [known for known, starter in self._starters.items() if not starter.runs]:
                self._forget(known)
        starter = self._starters[profile] = _Starter(profile)
        self._waking.watch(starter.connection)
        return starter

    def _forget(self, profile: str) -> None:
        """It sees the end of its connection, and ends."""
        starter = self._starters.pop(profile)
        self._waking.forget(starter.connection)
        starter.connection.close()

    def _hear(self, starter: _Starter) -> None:
        packet, _ = receive(starter.connection)
        if not packet:
            self._is_gone(starter)
            return
        told = json.loads(packet)
        if "pid" in told:
            starter.runs[told["run"]] = None
        else:
            del starter.runs[told["run"]], self._by_run[told["run"]]
        send(self._worker, packet)

    def _is_gone(self, starter: _Starter) -> None:
        """All that is adopted was its: the others adopt what is theirs."""
        self._forget(next(profile for profile, known in self._starters.items() if known is starter))
        self._end_children(but={other.process for other in self._starters.values()})
        for run, asked in starter.runs.items():
            del self._by_run[run]
            if asked is None:
                self._tell(run, lost=True)
            else:
                self._tell(run, failed={"step": Step.PREPARE, "errno": errno.EAGAIN})

    def _kill_who_stand_still(self) -> None:
        late = time.monotonic() - _ANSWER_SECONDS
        for starter in self._starters.values():
            if any(asked is not None and asked < late for asked in starter.runs.values()):
                kill(starter.process)

    # --- their processes ---

    def _reap(self) -> None:
        for child in ended_children():
            os.waitpid(child, 0)

    def _end_children(self, *, but: set[int]) -> None:
        until = time.monotonic() + _END_SECONDS
        while (left := set(children()) - but) and time.monotonic() < until:
            for child in left:
                kill(child)
            self._reap()
            time.sleep(0.001)


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
