"""A server with a secret in its environment, which runs one command line and prints what that prints."""

import asyncio
import os
import sys
from pathlib import Path

from jobengine.settings.run import RunSettings, SandboxKind
from jobengine.work.conditions import Conditions
from jobengine.work.spawner.launch import Launch
from tests.work.spawner.programs import run, spawning


async def main(sandbox: str, command: str) -> None:
    """Run it in this sandbox."""
    user = "nobody" if os.geteuid() == 0 else None
    settings = RunSettings(user=user, sandbox=SandboxKind(sandbox), pass_environment=("LANG",))
    conditions = Conditions.of(settings, os.environ, directory=None, log_bytes=1000)
    launch = Launch(
        argv=conditions.enclose(("sh", "-c", command), None),
        directory=Path("/"),
        environment=conditions.environment_in(Path("/")),
        limits=conditions.limits,
        user=conditions.user,
        is_sandboxed=conditions.bubblewrap is not None,
    )
    async with spawning() as spawner:
        print((await run(spawner, launch)).out, end="")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
