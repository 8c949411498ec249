"""Starts what must end with it, says which processes these are, and waits to be killed."""

import asyncio
import os
from pathlib import Path

from jobengine.work.spawner.spawner import Spawner
from tests.work.spawner.programs import shell


async def main() -> None:
    """One program that does not listen, one that has a session of its own, and who started them."""
    spawner = Spawner()
    process = await spawner.spawn(shell("trap '' TERM; setsid sh -c 'echo $$; sleep 1000' & sleep 1000"))
    os.set_blocking(process.output, True)
    orphan = int(os.read(process.output, 100))
    leader = await process.pid()
    assert leader is not None
    starter = _parent(leader)
    print(leader, orphan, starter, _parent(starter), flush=True)
    await asyncio.Event().wait()


def _parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


if __name__ == "__main__":
    asyncio.run(main())
