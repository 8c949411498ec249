"""What root writes beside a database file at rest belongs to the file's owner, who is to serve it."""

import os
from pathlib import Path

from jobengine.journal.files import RealFiles

_ROOT = 0


class OwnedFiles(RealFiles):
    """The file calls of the system; whatever they make gets the owner of one database file."""

    def __init__(self, database: Path) -> None:
        """A database that is not there yet belongs to whoever makes it. Raises OSError."""
        is_for_another = os.geteuid() == _ROOT and database.exists()
        self._like = database.stat() if is_for_another else None

    def open(self, path: Path, *, create: bool = False) -> int:
        """Open for reading and writing; with `create` make it, mode 0600, when it is not there."""
        file = super().open(path, create=create)
        if create and self._like is not None:
            os.fchown(file, self._like.st_uid, self._like.st_gid)
        return file
