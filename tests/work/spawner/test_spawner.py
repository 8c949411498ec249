"""The process that starts programs: it ends with its worker, and what it started with it."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from jobengine.work.spawner import process as process_module
from jobengine.work.spawner.limits import Limits
from jobengine.work.spawner.process import Process
from jobengine.work.spawner.spawner import Spawner
from tests.work.spawner.programs import is_alive, launch, line, run, see, shell, spawning, until_gone


async def test_stopping_the_spawner_ends_all_that_it_started() -> None:
    spawner = Spawner()
    process = await spawner.spawn(
        shell("trap '' TERM; setsid sh -c 'trap \"\" TERM; echo $$; sleep 1000' & sleep 1000")
    )
    other = int(await line(process.output))
    await spawner.stop()
    assert (await see(process)).ended.is_lost
    assert not is_alive(other)


async def test_a_program_that_kills_its_starter_is_lost_with_all_that_it_left() -> None:
    async with spawning() as spawner:
        process = await _obedient(
            spawner, "kill -9 $PPID", start="setsid sh -c 'echo $$ >&2; exec sleep 1000' &"
        )
        left = int(await line(process.errors))
        process.signal(signal.SIGUSR1)
        assert (await see(process)).ended.is_lost
        assert not is_alive(left)
        assert (await run(spawner, launch("true"))).ended.exit_code == 0


async def test_a_starter_that_dies_takes_no_other_users_program_with_it() -> None:
    async with spawning() as spawner:
        other = await _obedient(spawner, "echo whole; exit 0", limits=Limits(open_files=100))
        process = await _obedient(spawner, "kill -9 $PPID")
        process.signal(signal.SIGUSR1)
        assert (await see(process)).ended.is_lost
        other.signal(signal.SIGUSR1)
        assert (await see(other)).out == "whole\n"


async def test_a_program_whose_starter_it_let_stand_still_can_be_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with spawning() as spawner:
        stopped = await _obedient(spawner, "kill -STOP $PPID; echo done")
        stopped.signal(signal.SIGUSR1)
        await line(stopped.output)
        with monkeypatch.context() as patched:
            patched.setattr(process_module, "ANSWER_SECONDS", 0.2)
            await stopped.stop(0.1)
        assert (await see(stopped)).ended.is_lost
        assert (await run(spawner, launch("true"))).ended.exit_code == 0


async def test_programs_of_a_spawner_that_was_killed_end_and_the_next_one_runs() -> None:
    async with spawning() as spawner:
        process = await spawner.spawn(shell("setsid sh -c 'echo $$; sleep 1000' & sleep 1000"))
        orphan = int(await line(process.output))
        program = await process.pid()
        assert program is not None
        os.kill(_parent(_parent(program)), signal.SIGKILL)
        assert (await see(process)).ended.is_lost
        await until_gone(program)
        await until_gone(orphan)
        assert (await run(spawner, launch("true"))).ended.exit_code == 0


async def test_a_worker_that_was_killed_leaves_nothing_behind() -> None:
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.work.spawner.worker_to_kill"), stdout=asyncio.subprocess.PIPE
    )
    assert worker.stdout is not None
    processes = [int(word) for word in (await worker.stdout.readline()).split()]
    assert all(is_alive(process) for process in processes)
    worker.kill()
    await worker.wait()
    for process in processes:
        await until_gone(process)


async def test_a_spawner_can_be_stopped_twice_and_before_it_has_started() -> None:
    spawner = Spawner()
    await spawner.stop()
    await spawner.start()
    await spawner.start()
    await spawner.stop()
    await spawner.stop()


async def test_a_starter_that_has_ended_starts_nothing_and_says_so() -> None:
    async with spawning() as spawner:
        assert (await run(spawner, launch("true"))).ended.exit_code == 0
        (link,) = spawner._links.values()
        link.is_gone()
        with pytest.raises(OSError, match="has ended"):
            await link.launch(7, b"{}", os.pipe(), os.pipe())


def _parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


async def _obedient(
    spawner: Spawner, command: str, *, start: str = "", limits: Limits | None = None
) -> Process:
    """A program that does this when it gets SIGUSR1, and is ready for that."""
    wait = "while :; do sleep 0.02; done"
    process = await spawner.spawn(shell(f"trap '{command}' USR1; echo ready; {start} {wait}", limits))
    assert (await line(process.output)).startswith(b"ready\n")
    return process
