"""One process at a time: the lock beside the database file. It is never renamed or removed."""

import os
from pathlib import Path

from jobengine.errors import Fatal, Locked
from jobengine.journal.files import NO_ROOM, Files, beside, read_all, write_all


def take_lock(files: Files, path: Path) -> int:
    """The descriptor that holds the lock until it is closed. Raises Locked."""
    file = files.open(path, create=True)
    try:
        _lock(files, file)
    except BaseException:
        files.close(file)
        raise
    return file


def take_lock_at_rest(files: Files, path: Path, *, needed: Path) -> int:
    """The lock of a database file, for a command that no server may be running beside.

    Raises Fatal when the file that it needs is not there: then a misspelt name leaves no lock behind. Raises
    Locked.
    """
    if not files.exists(needed):
        raise Fatal(f"{needed}: there is no such database file; --db or DB_PATH names another one")
    try:
        return take_lock(files, beside(path, ".lock"))
    except Locked as refusal:
        raise Locked(f"{refusal.detail}; stop the server first") from None


def _lock(files: Files, file: int) -> None:
    if not files.lock(file):
        holder = read_all(files, file, 20, 0).decode("ascii", "replace").strip() or "unknown"
        raise Locked(f"the database file is in use by another process (pid {holder})")
    files.truncate(file, 0)
    try:
        write_all(files, file, f"{os.getpid()}\n".encode(), 0)
    except OSError as error:
        if error.errno not in NO_ROOM:  # the lock itself needs none
            raise
