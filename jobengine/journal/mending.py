"""What a crash left is put in order, before anything is served."""

from pathlib import Path

from jobengine.journal.files import Files, beside, copy, make_new, new_path, read_all, write_all
from jobengine.journal.frame import Head


class Mending:
    """Mends one file. Each step may be done again: a crash in between costs nothing."""

    def __init__(self, files: Files, path: Path, file: int) -> None:
        self.file = file  # another one after `move_to_new_file`
        self._files = files
        self._path = path

    def mend_header(self, copies: dict[int, bytes]) -> None:
        """Write damaged copies of the header anew."""
        for offset, header in copies.items():
            write_all(self._files, self.file, header, offset)
        self._files.sync(self.file)

    def cut_tail(self, end: int, *, size: int, wall_ms: int) -> Path:
        """Keep what stands behind `end` aside, and cut it off. Returns where it is kept."""
        kept = beside(self._path, f".torn-{wall_ms}")
        torn = make_new(self._files, kept)
        try:
            write_all(self._files, torn, read_all(self._files, self.file, size - end, end), 0)
            self._files.sync(torn)
        finally:
            self._files.close(torn)
        self._files.sync_directory(kept.parent)
        self._files.truncate(self.file, end)
        self._files.sync(self.file)
        return kept

    def write_again(self, frame: Head) -> None:
        """Write the last frame again, in place: the system may show it, and the disk not hold it."""
        data = read_all(self._files, self.file, frame.end - frame.offset, frame.offset)
        write_all(self._files, self.file, data, frame.offset)
        self._files.sync(self.file)

    def move_to_new_file(self, end: int) -> None:
        """Copy the verified part: after a failed sync the old place on the disk is not trusted."""
        old, self.file = self.file, make_new(self._files, new_path(self._path))
        try:
            copy(self._files, old, self.file, end)
            self._files.sync(self.file)
        finally:
            self._files.close(old)
        self._files.rename(new_path(self._path), self._path)
        self._files.sync_directory(self._path.parent)

    def remove_leftovers(self) -> None:
        """Remove the new file of a compaction that did not come to its end."""
        if self._files.exists(new_path(self._path)):
            self._files.remove(new_path(self._path))
