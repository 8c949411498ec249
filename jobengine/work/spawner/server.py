"""The spawner's own process: starts programs, gives them signals, and says how they ended.

One packet is one JSON object. From the worker comes {"run": 1, "launch": {…}} with the two pipes for the
program's output, and {"run": 1, "signal": 15}. To the worker goes {"run": 1, "pid": 4711}, and in the end
{"run": 1, "ended": {…}}, or {"run": 1, "failed": {"step": 3, "errno": 2}} for a program that never ran.

It has one thread and imports little, so that a fork is quick; and it holds nothing that a program that it
starts may not see. Only the standard library.
"""

import contextlib
import errno
import gc
import json
import os
import select
import signal
import socket
import struct
import time
from fcntl import F_DUPFD_CLOEXEC, fcntl
from pathlib import Path
from typing import Any, Final

from jobengine.work.spawner import kernel
from jobengine.work.spawner.orphans import MARK, children, run_of
from jobengine.work.spawner.run import Run
from jobengine.work.spawner.starting import INSIDE, Step, lowered, read_reports, start

PACKET_BYTES: Final = 128 * 1024  # what the kernel takes at once without being asked for more
_DESCRIPTOR: Final = struct.Struct("=i")
_HURRY_SECONDS: Final = 2.0  # what is killed is gone after milliseconds, but for one that waits for a disk
_LOOK_SECONDS: Final = 0.1
# Their number says nothing; they wake the loop. The worker's end comes as SIGUSR1.
_WAKING: Final = (signal.SIGCHLD, signal.SIGUSR1)
_PYTHONS: Final = (signal.SIGPIPE, signal.SIGXFSZ)  # Python ignores these, and programs would inherit that
# Meant for the server, by a terminal or a service manager; it ends the runs in its own time.
_NOT_OURS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Server:
    """Runs as long as the worker holds the other end of the connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        _reserve(INSIDE)
        self._runs: dict[int, Run] = {}
        self._leaders: dict[int, Run] = {}
        self._ending: set[Run] = set()
        self._failures: dict[int, tuple[int, int]] = {}
        self._reports, self._reports_end = os.pipe()
        os.set_blocking(self._reports, False)
        self._waking, self._waking_end = os.pipe()
        os.set_blocking(self._waking, False)
        os.set_blocking(self._waking_end, False)

    def serve(self) -> None:
        """Until the worker is gone; then nothing that was started is left."""
        signal.set_wakeup_fd(self._waking_end, warn_on_full_buffer=False)
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        poll.register(self._waking, select.POLLIN)
        while True:
            ready = dict(poll.poll(_LOOK_SECONDS * 1000 if self._ending else None))
            if self._waking in ready and signal.SIGUSR1 in os.read(self._waking, 4096):
                break
            self._reap()
            if self._connection.fileno() in ready and not self._receive():
                break
        self._end_all()

    def _receive(self) -> bool:
        """Do what the worker asks; False when it is gone."""
        try:
            data, pipes = self._read()
        except ConnectionError:
            return False
        if not data:
            return False
        asked = json.loads(data)
        if "launch" in asked and len(pipes) < 2:
            self._tell(asked["run"], failed={"step": Step.PREPARE, "errno": errno.EMFILE})
        elif "launch" in asked:
            self._launch(asked["run"], asked["launch"], pipes)
        elif run := self._runs.get(asked["run"]):
            run.signal(asked["signal"])
            self._to_orphans(run, asked["signal"])
        for pipe in pipes:
            os.close(pipe)
        return True

    def _read(self) -> tuple[bytes, list[int]]:
        # Not socket.recv_fds: Python 3.11's forgets its flags, and every program would have the others' pipes.
        room = socket.CMSG_SPACE(2 * _DESCRIPTOR.size)
        data, ancillary, _, _ = self._connection.recvmsg(PACKET_BYTES, room, socket.MSG_CMSG_CLOEXEC)
        pipes = [number for _, _, cells in ancillary for (number,) in _DESCRIPTOR.iter_unpack(cells)]
        return data, pipes

    def _launch(self, number: int, launch: dict[str, Any], pipes: list[int]) -> None:
        launch["environment"][MARK] = str(number)
        launch["limits"] = lowered(launch["limits"])
        inside, inside_end = os.pipe() if launch["is_sandboxed"] else (None, None)
        try:
            leader = start(launch, pipes, inside_end, self._reports_end)
        except OSError as error:
            self._tell(number, failed={"step": Step.PREPARE, "errno": error.errno})
        else:
            self._runs[number] = self._leaders[leader] = Run(number, leader, inside)
            self._tell(number, pid=leader)
        if inside_end is not None:
            os.close(inside_end)

    def _reap(self) -> None:
        while (child := _ended_child()) is not None:
            run = self._leaders.pop(child, None)
            if run is not None:
                # While its number is still its own: a moment later it may be another's.
                run.signal(signal.SIGKILL)
            _, status, usage = os.wait4(child, 0)
            if run is not None:
                run.used(usage)
                run.leader_ended(status, hurry_seconds=_HURRY_SECONDS)
                self._ending.add(run)
            else:
                self._inside_ended(child, usage)
        for run in [run for run in self._ending if not self._has_left_over(run)]:
            self._ended(run)
        if not self._runs:
            self._end_strangers()

    def _inside_ended(self, child: int, usage: Any) -> None:
        for run in self._ending:
            if run.first_inside() == child:
                run.used(usage)

    def _has_left_over(self, run: Run) -> bool:
        """Whether something of a run whose program has ended is still there; it is killed."""
        left = self._orphans_of(run)
        for orphan in left:
            _kill(orphan)
        return bool(left) and time.monotonic() < run.hurry_until

    def _orphans_of(self, run: Run) -> list[int]:
        """What belongs to a run and has become a child of this process, by having lost its own parent."""
        adopted = [child for child in children() if child not in self._leaders]
        return [child for child in adopted if run.owns(child) or run_of(child) == str(run.number)]

    def _to_orphans(self, run: Run, number: int) -> None:
        for orphan in self._orphans_of(run):
            with contextlib.suppress(ProcessLookupError):
                os.kill(orphan, number)

    def _end_strangers(self) -> None:
        """Nothing runs, so whatever is still there, and hides whose it is, is left over from a run."""
        for child in children():
            _kill(child)

    def _ended(self, run: Run) -> None:
        self._ending.discard(run)
        del self._runs[run.number]
        run.close()
        self._failures.update(read_reports(self._reports))
        if failure := self._failures.pop(run.leader, None):
            self._tell(run.number, failed={"step": failure[0], "errno": failure[1]})
        else:
            self._tell(run.number, ended=run.ended())

    def _tell(self, number: int, **what: object) -> None:
        with contextlib.suppress(ConnectionError):  # the worker is gone: that is seen at the next read
            self._connection.send(json.dumps({"run": number, **what}).encode(), socket.MSG_NOSIGNAL)

    def _end_all(self) -> None:
        until = time.monotonic() + _HURRY_SECONDS
        for run in self._leaders.values():
            run.signal(signal.SIGKILL)
        while (left := children()) and time.monotonic() < until:
            for child in left:
                _kill(child)
            while (ended := _ended_child()) is not None:
                os.waitpid(ended, 0)
            time.sleep(0.001)


def _reserve(number: int) -> None:
    """Let nothing else get this number."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    if nothing != number:
        os.dup2(nothing, number, inheritable=False)
        os.close(nothing)


def _ended_child() -> int | None:
    """A child that has ended and is not reaped yet."""
    try:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return None if ended is None else ended.si_pid


def _kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(process, signal.SIGKILL)


def main(connection: int, worker: int) -> None:
    """Serve the worker whose end of the connection this is."""
    os.umask(0o022)
    for number in _PYTHONS:
        signal.signal(number, signal.SIG_DFL)
    for number in (*_WAKING, *_NOT_OURS):
        signal.signal(number, lambda _number, _frame: None)  # not ignored: programs would inherit that
    _be_preferred_by_the_oom_killer()
    kernel.hide_memory()
    kernel.adopt_orphans()
    with contextlib.suppress(ProcessLookupError):  # then the connection is at its end, too
        kernel.end_with(worker, signal.SIGUSR1)
    kernel.give_up_privileges()
    # A fork copies what is written to: no collection, so that it is little.
    gc.collect()
    gc.freeze()
    gc.disable()
    high = fcntl(
        connection, F_DUPFD_CLOEXEC, INSIDE + 1
    )  # no program inherits it: it gives all rights there are
    os.close(connection)
    Server(socket.socket(fileno=high)).serve()


def _be_preferred_by_the_oom_killer() -> None:
    """Out of memory, the kernel takes a run before the server. Best effort: some containers forbid it."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")
