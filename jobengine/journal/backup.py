"""Backing up: a copy of the file as it is, up to its last good frame, also while a server uses it."""

import os
from pathlib import Path

from msgspec import Struct

from jobengine.errors import Damaged, Fatal
from jobengine.journal.files import REAL_FILES, Files, new_path
from jobengine.journal.inspection import Progress, unwatched
from jobengine.journal.prefix import copy_prefix
from jobengine.journal.reading import Reading, system_errors


class Copied(Struct, frozen=True):
    """A copy that was made."""

    path: Path
    bytes: int
    sequence: int  # of its last frame
    time: int  # of its last frame, ms since the Unix epoch


def back_up(
    read: Reading,
    destination: Path,
    *,
    overwrite: bool = False,
    files: Files = REAL_FILES,
    progress: Progress = unwatched,
) -> Copied:
    """Copy an open file to this name, which it gets only once the copy is complete, authentic and on disk.

    Raises Fatal when there is such a file, Damaged when the file is not whole, InputOutputFailed.
    """
    destination = Path(os.path.realpath(destination))
    if read.path in (destination, new_path(destination)):
        raise Fatal(f"{destination} is the database itself; a backup needs another name")
    if destination.parent == read.path.parent and destination.name.startswith(f"{read.path.name}."):
        raise Fatal(f"{destination} is a name for what belongs to the database; a backup needs another one")
    with system_errors(f"writing {destination}"):
        if files.exists(destination) and not overwrite:
            raise Fatal(f"{destination} is there already; --overwrite replaces it")
        place = copy_prefix(read, read.size, files, new_path(destination), progress=progress)
        if read.mark is not None and read.mark.file_id == read.header.file_id:
            _refuse_to_lose(files, destination, read.mark.sequence - place.sequence)
        files.rename(new_path(destination), destination)
        files.sync_directory(destination.parent)
    return Copied(destination, place.end, place.sequence, place.time)


def _refuse_to_lose(files: Files, destination: Path, missing: int) -> None:
    if missing > 0:
        files.remove(new_path(destination))
        raise Damaged(f"{missing} acknowledged commits are missing in the file; see `jobengine db verify`")
