"""However many programs have run, and however they ended, nothing of them is left open or undead."""

import asyncio
import os
from pathlib import Path

from jobengine.work.spawner.orphans import families
from jobengine.work.spawner.spawner import Spawner
from tests.work.spawner.programs import launch, run, shell, spawning

KINDS = (
    launch("true"),
    launch("no-such-program"),
    launch("true", directory=Path("/no/such/directory")),
    shell("kill -9 $$"),
    shell("sleep 1000 & setsid sleep 1000 & exit 3"),
)


async def _some(spawner: Spawner, times: int) -> None:
    await asyncio.gather(*(run(spawner, kind) for kind in KINDS * times))


def _open_files(processes: set[int]) -> dict[int, int]:
    return {process: _count(Path(f"/proc/{process}/fd")) for process in processes}


def _count(descriptors: Path) -> int:
    try:
        return len(list(descriptors.iterdir()))
    except PermissionError:  # only root may look
        return 0


async def test_nothing_is_left_of_many_runs() -> None:
    others = families([os.getpid()]) - {os.getpid()}
    async with spawning() as spawner:
        await _some(spawner, 2)
        before = _open_files(families([os.getpid()]) - others)
        for _ in range(5):
            await _some(spawner, 4)
        assert _open_files(families([os.getpid()]) - others) == before
