"""A directory becomes a zip file."""

import os
import stat
from pathlib import Path
from typing import IO, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from jobengine.archive.limits import ArchiveLimits
from jobengine.errors import ArchiveRefused

_PIECE: Final = 256 * 1024  # bytes
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # no times: the same files make the same archive


def pack(directory: Path, file: IO[bytes], limits: ArchiveLimits) -> None:
    """Write all files below the directory as a zip file, in the order of their names.

    Links are left out: they may lead anywhere, and whoever owns the directory may change it meanwhile.
    Raises ArchiveRefused when it becomes too big, and OSError.
    """
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        packing = _Packing(archive, file, limits)
        for place, directories, names, descriptor in os.fwalk(directory):
            directories.sort()
            below = Path(place).relative_to(directory)
            if not names and not directories and below.parts:
                packing.add_directory(below)
            for name in sorted(names):
                packing.add_file(below / name, descriptor)


class _Packing:
    """One archive as it grows."""

    def __init__(self, archive: ZipFile, file: IO[bytes], limits: ArchiveLimits) -> None:
        self._archive = archive
        self._file = file
        self._limits = limits
        self._unpacked = 0

    def add_directory(self, path: Path) -> None:
        """One with nothing in it."""
        entry = self._entry(f"{path.as_posix()}/", stat.S_IFDIR | 0o700)
        self._archive.writestr(entry, b"")

    def add_file(self, path: Path, directory: int) -> None:
        """One that lies in the directory with this descriptor, if it is one."""
        if not stat.S_ISREG(os.stat(path.name, dir_fd=directory, follow_symlinks=False).st_mode):
            return
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(path.name, flags, dir_fd=directory), "rb") as source:
            entry = self._entry(path.as_posix(), os.fstat(source.fileno()).st_mode)
            with self._archive.open(entry, "w") as packed:
                while piece := source.read(_PIECE):
                    packed.write(piece)
                    self._count(len(piece))

    def _entry(self, name: str, mode: int) -> ZipInfo:
        if len(self._archive.filelist) >= self._limits.entries:
            raise ArchiveRefused(f"there are more than {self._limits.entries} files to pack")
        try:
            name.encode()
        except UnicodeEncodeError:
            raise ArchiveRefused("a file to pack has a name that is not UTF-8") from None
        entry = ZipInfo(name, _EPOCH)
        entry.compress_type = ZIP_DEFLATED
        entry.external_attr = mode << 16
        return entry

    def _count(self, bytes_: int) -> None:
        self._unpacked += bytes_
        if self._file.tell() > self._limits.bytes or self._unpacked > self._limits.unpacked_bytes:
            raise ArchiveRefused(f"the files to pack take more than {self._limits.bytes} bytes")
