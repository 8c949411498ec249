"""The directory of one run: nobody else's, and gone after it whatever the program has made of it."""

import asyncio
import contextlib
import os
import tempfile
from pathlib import Path
from typing import Final

import structlog

from jobengine.work.conditions import PATH
from jobengine.work.spawner.launch import Launch
from jobengine.work.spawner.limits import Limits
from jobengine.work.spawner.spawner import Spawner
from jobengine.work.spawner.user import User

# It follows no link, and comes to the end of names of any length.
_REMOVE: Final = ("/bin/sh", "-c", 'chmod -R u+rwx -- "$1"; exec rm -rf -- "$1"', "remove")

log = structlog.get_logger(__name__)


def make_directory(parent: Path | None, user: User | None) -> Path:
    """A new one, for this user alone. Raises OSError."""
    directory = tempfile.mkdtemp(prefix="jobengine-run-", dir=parent)
    if user is not None:
        os.chown(directory, user.user_id, user.group_id)
    return Path(directory)


async def remove_directory(directory: Path, spawner: Spawner) -> None:
    """Remove it with all that is in it."""
    try:
        directory.rmdir()  # most are empty, and many are gone
    except FileNotFoundError:
        return
    except OSError:
        await asyncio.to_thread(_remove_flat, directory)
    if directory.exists():
        await _remove_by_force(directory, spawner)


def _remove_flat(directory: Path) -> None:
    """Remove it when there are only files in it: how deep others are, a stranger decides."""
    with contextlib.suppress(OSError):
        for path in list(directory.iterdir()):
            path.unlink()
        directory.rmdir()


async def _remove_by_force(directory: Path, spawner: Spawner) -> None:
    launch = Launch(
        argv=(*_REMOVE, str(directory)),
        directory=Path("/"),
        environment={"PATH": PATH},
        limits=Limits(processes=None),
    )
    process = await spawner.spawn(launch)
    await process.ended()
    process.close()
    if directory.exists():
        log.warning("directory_left", directory=str(directory))
