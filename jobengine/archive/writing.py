"""A directory becomes a zip file."""

import os
import stat
from pathlib import Path, PurePosixPath
from typing import IO, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from jobengine.archive.limits import DEPTH_MOST, ArchiveLimits
from jobengine.errors import ArchiveRefused

_PIECE: Final = 256 * 1024  # bytes
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # no times: the same files make the same archive
_OF_A_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OF_A_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def pack(directory: Path, file: IO[bytes], limits: ArchiveLimits) -> None:
    """Write all files below the directory as a zip file, in the order of their names.

    Links are left out: they may lead anywhere, and whoever owns the directory may change it meanwhile. So are
    files of anybody else: a hard link to one can be made without being able to read it. Raises ArchiveRefused
    when it becomes too big, and OSError.
    """
    descriptor = os.open(directory, _OF_A_DIRECTORY)
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        packing = _Packing(archive, file, limits, owner=os.fstat(descriptor).st_uid)
        packing.add_all(descriptor, PurePosixPath())


class _Packing:
    """One archive as it grows."""

    def __init__(self, archive: ZipFile, file: IO[bytes], limits: ArchiveLimits, *, owner: int) -> None:
        self._archive = archive
        self._file = file
        self._limits = limits
        self._owner = owner
        self._unpacked = 0
        self._seen = 0

    def add_all(self, descriptor: int, path: PurePosixPath) -> None:
        """What lies in the directory with this descriptor, which is closed."""
        try:
            files, directories = self._listed(descriptor)
            if path.parts and not files and not directories:
                self._add_directory(path)
            for name in files:
                self._add_file(path / name, descriptor)
            for name in directories:
                self._descend(path / name, descriptor)
        finally:
            os.close(descriptor)

    def _listed(self, descriptor: int) -> tuple[list[str], list[str]]:
        files, directories = [], []
        with os.scandir(descriptor) as entries:
            for entry in entries:
                self._seen += 1
                if self._seen > self._limits.names:
                    raise self._too_many()
                if entry.is_dir(follow_symlinks=False):
                    directories.append(entry.name)
                elif entry.is_file(follow_symlinks=False):
                    files.append(entry.name)
        return sorted(files), sorted(directories)

    def _descend(self, path: PurePosixPath, above: int) -> None:
        if len(path.parts) > DEPTH_MOST:
            raise ArchiveRefused(f"the directories to pack lie more than {DEPTH_MOST} deep")
        self.add_all(os.open(path.name, _OF_A_DIRECTORY, dir_fd=above), path)

    def _add_directory(self, path: PurePosixPath) -> None:
        """One with nothing in it."""
        entry = self._entry(f"{path}/", stat.S_IFDIR | 0o700)
        self._archive.writestr(entry, b"")

    def _add_file(self, path: PurePosixPath, directory: int) -> None:
        with os.fdopen(os.open(path.name, _OF_A_FILE, dir_fd=directory), "rb") as source:
            status = os.fstat(source.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_uid != self._owner:
                return
            with self._archive.open(self._entry(str(path), status.st_mode), "w") as packed:
                while piece := source.read(_PIECE):
                    packed.write(piece)
                    self._count(len(piece))

    def _entry(self, name: str, mode: int) -> ZipInfo:
        if len(self._archive.filelist) >= self._limits.entries:
            raise self._too_many()
        try:
            length = len(name.encode())
        except UnicodeEncodeError:
            raise ArchiveRefused("a file to pack has a name that is not UTF-8") from None
        if length > self._limits.name_bytes:
            raise ArchiveRefused(f"a file to pack has a path of over {self._limits.name_bytes} bytes")
        entry = ZipInfo(name, _EPOCH)
        entry.compress_type = ZIP_DEFLATED
        entry.external_attr = mode << 16
        return entry

    def _count(self, bytes_: int) -> None:
        self._unpacked += bytes_
        if self._unpacked > self._limits.unpacked_bytes:
            raise ArchiveRefused(f"the files to pack have more than {self._limits.unpacked_bytes} bytes")
        if self._file.tell() > self._limits.bytes:
            raise ArchiveRefused(f"the files to pack take more than {self._limits.bytes} bytes, packed")

    def _too_many(self) -> ArchiveRefused:
        return ArchiveRefused(f"there are more than {self._limits.entries} files to pack")
