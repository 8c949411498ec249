"""What leaves its group, with nothing in its environment that tells whose it is, is found from above."""

import asyncio
import os
from pathlib import Path

from jobengine.work.spawner.limits import Limits
from jobengine.work.spawner.process import Process
from jobengine.work.spawner.spawner import Spawner
from tests.work.spawner.programs import is_alive, launch, line, processes_now, run, shell, spawning

FORKS = "use POSIX; while (1) { my $child = fork; setsid if defined $child and not $child }"
MOST = 30
HIDDEN = "env -i setsid sh -c 'echo on >&2; while :; do sleep 0.01; done' & echo $!; wait"


async def hidden_in(process: Process) -> int:
    """What hides, once it does: who tells of it may be quicker."""
    assert await line(process.errors) == b"on\n"
    return int(await line(process.output))


async def bomb(spawner: Spawner) -> Process:
    """One that has spread."""
    limits = Limits(processes=processes_now() + MOST)
    process = await spawner.spawn(launch("env", "-i", "perl", "-e", FORKS, str(os.getpid()), limits=limits))
    while len(left()) < MOST // 3:
        await asyncio.sleep(0.01)
    return process


def left() -> list[int]:
    """What there is of it."""
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if _is_of_it(path)]


def _is_of_it(path: Path) -> bool:
    try:
        text = (path / "cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text.endswith(f"{FORKS}\0{os.getpid()}\0") and is_alive(int(path.name))


async def test_stop_ends_all_of_it_and_the_next_program_runs() -> None:
    async with spawning() as spawner:
        process = await bomb(spawner)
        await process.stop(0.1)
        process.close()
        async with asyncio.timeout(10):
            while left():
                await asyncio.sleep(0.05)
        assert (await run(spawner, launch("true"))).ended.exit_code == 0


async def test_stopping_the_spawner_ends_all_of_it() -> None:
    spawner = Spawner()
    process = await bomb(spawner)
    await spawner.stop()
    process.close()
    assert left() == []


async def test_what_hides_is_ended_by_stop_though_others_run() -> None:
    async with spawning() as spawner:
        other = await spawner.spawn(launch("sleep", "1000"))
        process = await spawner.spawn(shell(f"trap '' TERM; {HIDDEN}"))
        hidden = await hidden_in(process)
        await process.stop(0.1)
        assert not is_alive(hidden)
        process.close()
        await other.stop(1)
        other.close()


async def test_what_hides_and_ignores_sigterm_ends_with_its_program_though_others_run() -> None:
    deaf = "trap '' TERM; echo on >&2; while :; do sleep 0.01; done"
    async with spawning() as spawner:
        other = await spawner.spawn(launch("sleep", "1000"))
        process = await spawner.spawn(shell(f'env -i setsid sh -c "{deaf}" & echo $!; wait'))
        hidden = await hidden_in(process)
        await process.stop(5)
        assert not is_alive(hidden)
        process.close()
        await other.stop(1)
        other.close()


async def test_what_hides_stands_still_when_its_job_is_halted() -> None:
    async with spawning() as spawner:
        process = await spawner.spawn(shell(HIDDEN))
        hidden = await hidden_in(process)
        process.halt()
        while _state(hidden) != "T":
            await asyncio.sleep(0.01)
        process.resume()
        while _state(hidden) == "T":
            await asyncio.sleep(0.01)
        await process.stop(1)
        process.close()


def _state(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
