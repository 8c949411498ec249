"""Whether the sandbox that the configuration asks for is to be had here: tried once, before any job."""

import asyncio
import os
from pathlib import Path
from typing import Final

from jobengine.errors import ConfigurationWrong
from jobengine.work.conditions import Conditions
from jobengine.work.spawner.launch import Launch
from jobengine.work.spawner.process import Ended
from jobengine.work.spawner.spawner import Spawner

_SECONDS: Final = 10.0
_TEXT_MOST: Final = 300
_WAYS_OUT: Final = (
    "allow unprivileged user namespaces (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, "
    "kernel.apparmor_restrict_unprivileged_userns); in a container, give it a seccomp profile that allows "
    "them and an unmasked /proc; or leave run.sandbox out and name a user of its own in run.user"
)


async def try_sandbox(conditions: Conditions, spawner: Spawner) -> None:
    """Run `true` as these jobs would. Raises ConfigurationWrong, which names the ways out."""
    if conditions.bubblewrap is None:
        return
    launch = Launch(
        argv=conditions.enclose(("true",), None),
        directory=Path("/"),
        environment=conditions.environment_in(Path("/")),
        limits=conditions.limits,
        user=conditions.user,
        is_sandboxed=True,
    )
    process = await spawner.spawn(launch)
    try:
        async with asyncio.timeout(_SECONDS):
            ended = await process.ended()
    except TimeoutError:
        await process.stop(0)
        ended = await process.ended()
    wrong = _wrong(ended, process.errors)
    process.close()
    if wrong is not None:
        raise ConfigurationWrong(f"run.sandbox: bubblewrap does not work here ({wrong}): {_WAYS_OUT}")


def _wrong(ended: Ended, errors: int) -> str | None:
    if ended.exit_code == 0:
        return None
    if ended.not_started is not None:
        return str(ended.not_started)
    try:
        text = os.read(errors, 4096).decode(errors="replace")
    except BlockingIOError:
        text = ""
    return " ".join(text.split())[:_TEXT_MOST] or "it says nothing"
