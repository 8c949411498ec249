"""The directory of one run: nobody else's, and gone after it whatever the program has made of it."""

import asyncio
import os
import tempfile
from itertools import islice
from pathlib import Path
from typing import Final

import structlog

from jobengine.work.conditions import PATH
from jobengine.work.spawner.launch import Launch
from jobengine.work.spawner.limits import Limits
from jobengine.work.spawner.spawner import Spawner
from jobengine.work.spawner.user import User

PREFIX: Final = "jobengine-run-"
# It follows no link, and comes to the end of names of any length.
# For root no mode is in the way, and `chmod -R` may be led elsewhere by who puts links in the place of files.
_COMMANDS: Final = (
    'rm -rf -- "$1" 2>/dev/null || { [ "$(id -u)" = 0 ] || chmod -R u+rwx -- "$1"; exec rm -rf -- "$1"; }'
)
_FILES_MOST: Final = 1000
_REMOVE: Final = ("/bin/sh", "-c", _COMMANDS, "remove")

log = structlog.get_logger(__name__)


def make_directory(parent: Path | None) -> Path:
    """A new one, for the worker alone. Raises OSError."""
    return Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))


def hand_over(directory: Path, user: User | None) -> None:
    """Give it to this user with all that is in it, itself last: until then nobody else can go in."""
    if user is not None:
        for path in (*directory.rglob("*"), directory):
            os.chown(path, user.user_id, user.group_id, follow_symlinks=False)


async def remove_directory(directory: Path, spawner: Spawner) -> None:
    """Remove it with all that is in it."""
    # A thread costs more than all the rest, and most directories are empty.
    if _remove_empty(directory) or await asyncio.to_thread(_remove_flat, directory):
        return
    launch = Launch(
        argv=(*_REMOVE, str(directory)),
        directory=Path("/"),
        environment={"PATH": PATH},
        limits=Limits(processes=None),
    )
    try:
        process = await spawner.spawn(launch)
    except OSError as error:  # what the run came to is not changed by that
        log.warning("directory_left", directory=str(directory), reason=error.strerror)
        return
    ended = await process.ended()
    process.close()
    if ended.exit_code != 0:
        log.warning("directory_left", directory=str(directory))


def _remove_empty(directory: Path) -> bool:
    try:
        directory.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _remove_flat(directory: Path) -> bool:
    """Remove it when there are only files in it, and few: how deep and wide it is, a stranger decides."""
    try:
        # Not by its path: whoever owned it may have put a link in its place.
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            with os.scandir(descriptor) as entries:
                for name in [entry.name for entry in islice(entries, _FILES_MOST)]:
                    os.unlink(name, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        directory.rmdir()
    except OSError:
        return False
    return True
