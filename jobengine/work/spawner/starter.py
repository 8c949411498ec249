"""A process that starts programs as one user within the same limits: it has them itself, for good.

It is a child of the spawner's own process, which looks after what is left when a program kills its starter.
From the worker come {"run": 1, "launch": {…}} with the pipes for the program's output, and {"run": 1,
"signal": 15}. The answers are {"run": 1, "pid": 4711}, and in the end {"run": 1, "ended": {…}}; or {"run": 1,
"failed": {"step": 3, "errno": 2}} for a program that never ran. Standard library only.
"""

import contextlib
import errno
import json
import os
import resource
import signal
import socket
import time
from typing import Any, Final

from jobengine.work.spawner import kernel
from jobengine.work.spawner.connection import receive, send, taken_over
from jobengine.work.spawner.orphans import (
    MARK,
    children,
    end_children,
    end_families,
    ended_children,
    families,
    give,
    mark_of,
)
from jobengine.work.spawner.run import Moment, Run
from jobengine.work.spawner.starting import INSIDE, StartFailed, Step, start
from jobengine.work.spawner.waking import Waking

_LOOK_SECONDS: Final = 2.0  # what is killed is gone after milliseconds, but for one that waits for a disk
_PAUSE_SECONDS: Final = 0.1


class Starter:
    """Runs as long as the spawner's own process holds the other end of the connection."""

    def __init__(
        self, connection: socket.socket, waking: Waking, *, cpu_limit: tuple[int, int] | None
    ) -> None:
        self._connection = connection
        self._waking = waking
        self._cpu_limit = cpu_limit
        self._runs: dict[int, Run] = {}
        self._leaders: dict[int, Run] = {}
        self._ending: set[Run] = set()
        waking.watch(connection)

    def serve(self) -> None:
        """Until the other side is gone; then nothing of what was started here is left."""
        is_wanted = True
        while is_wanted:
            ready, signals = self._waking.wait(_PAUSE_SECONDS if self._ending else None)
            for run in list(self._runs.values()):
                if run.inside in ready:
                    self._learn_inside(run)
            self._reap()
            is_wanted = signal.SIGUSR1 not in signals
            if self._connection.fileno() in ready:
                is_wanted = is_wanted and self._receive()
        for run in self._leaders.values():
            run.signal(signal.SIGKILL)
        end_children(but=())

    def _receive(self) -> bool:
        packet, pipes = receive(self._connection)
        if not packet:
            return False
        asked = json.loads(packet)
        if "launch" in asked:
            self._launch(asked["run"], asked["launch"], pipes)
        elif run := self._runs.get(asked["run"]):
            self._learn_inside(run)
            self._signal(run, asked["signal"])
        return True

    def _signal(self, run: Run, number: int) -> None:
        """To its group, and to what has left that, as far as it is found."""
        found = self._found_of(run)
        run.known |= found
        if number == signal.SIGKILL:
            run.known |= end_families(found)
            run.signal(number)
        else:
            _pass_on(number, run, found)

    def _launch(self, number: int, launch: dict[str, Any], pipes: list[int]) -> None:
        launch["environment"][MARK] = str(number)
        moment = Moment()
        inside = None
        try:
            if len(pipes) < 2:
                raise StartFailed(Step.PREPARE, OSError(errno.EMFILE, "no room for its pipes"))
            if launch["is_sandboxed"]:
                inside = self._open_inside(pipes)
            leader = start(launch, pipes, self._cpu_limit)
        except StartFailed as failed:
            self._tell(number, failed={"step": failed.step, "errno": failed.number})
            if inside is not None:
                os.close(inside)
        else:
            self._runs[number] = self._leaders[leader] = Run(number, leader, inside, moment)
            if inside is not None:
                self._waking.watch(inside)
            self._tell(number, pid=leader)
        for pipe in pipes:
            os.close(pipe)

    def _open_inside(self, pipes: list[int]) -> int:
        """A third pipe, on which the sandbox says who is the first inside."""
        try:
            inside, other = os.pipe()
        except OSError as error:
            raise StartFailed(Step.PREPARE, error) from None
        os.set_blocking(inside, False)
        pipes.append(other)
        return inside

    def _learn_inside(self, run: Run) -> None:
        if (pipe := run.learn_inside()) is not None:
            self._waking.forget(pipe)

    def _reap(self) -> None:
        for child in ended_children():
            run = self._leaders.pop(child, None)
            if run is not None:
                self._learn_inside(run)
                run.signal(signal.SIGKILL)
            _, status, usage = os.wait4(child, 0)
            if run is not None:
                run.used(usage)
                run.leader_ended(status, look_seconds=_LOOK_SECONDS)
                self._ending.add(run)
            else:
                self._inside_ended(child, usage)
        for run in [run for run in self._ending if not self._has_left_over(run)]:
            self._ended(run)
        if not self._runs:
            self._end_strangers()

    def _inside_ended(self, child: int, usage: resource.struct_rusage) -> None:
        for run in self._ending:
            if run.first_inside == child:
                run.used(usage)

    def _has_left_over(self, run: Run) -> bool:
        """Whether something of a run whose program has ended is still there; it is killed."""
        left = self._orphans_of(run)
        if left:
            run.known |= end_families(left)
        return bool(left) and time.monotonic() < run.is_looked_after_until

    def _orphans_of(self, run: Run) -> list[int]:
        """What belongs to a run and has become a child of this process, by having lost its own parent."""
        adopted = [child for child in children() if child not in self._leaders]
        return [
            child
            for child in adopted
            if child in run.known or run.owns(child) or mark_of(child) == str(run.number)
        ]

    def _found_of(self, run: Run) -> set[int]:
        """Its program, and what came of it. What is in a sandbox is not looked for: it ends with that."""
        orphans = self._orphans_of(run)
        if run.is_sandboxed or run.leader not in self._leaders:
            return set(orphans)
        return families([run.leader, *orphans])

    def _end_strangers(self) -> None:
        """Nothing runs, so whatever is still there, and hides whose it is, is left over from a run."""
        if left := children():
            end_families(left)

    def _ended(self, run: Run) -> None:
        self._ending.discard(run)
        del self._runs[run.number]
        if (pipe := run.close()) is not None:
            self._waking.forget(pipe)
        self._tell(run.number, ended=run.ended())

    def _tell(self, number: int, **what: object) -> None:
        send(self._connection, json.dumps({"run": number, **what}).encode())


def _pass_on(number: int, run: Run, found: set[int]) -> None:
    led = {process for process in found if run.leads(process)}
    for process in found - led:
        give(process, number)
    run.signal(number)
    for process in led:
        if not run.leads(process):  # it has just left the group: without the signal, perhaps
            give(process, number)


def main(connection: str, spawner: str, profile: str) -> None:
    """Be as the programs are to be, and start them."""
    mine = taken_over(int(connection))
    _reserve(INSIDE)
    waking = Waking()
    wanted = json.loads(profile)
    for which, limit in wanted["limits"]:
        most = resource.getrlimit(which)[1]
        lowered = limit if most == resource.RLIM_INFINITY else min(limit, most)
        resource.setrlimit(which, (lowered, lowered))
    if wanted["user"] is not None:
        user, group, groups = wanted["user"]
        os.setgroups(groups)
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
    os.umask(0o022)
    kernel.hide_memory()
    kernel.adopt_orphans()
    kernel.give_up_privileges()
    with contextlib.suppress(ProcessLookupError):  # then the connection is at its end, too
        kernel.end_with(int(spawner), signal.SIGUSR1)
    Starter(mine, waking, cpu_limit=wanted["cpu_limit"]).serve()


def _reserve(number: int) -> None:
    """Let nothing else get this number."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    if nothing != number:
        os.dup2(nothing, number, inheritable=False)
