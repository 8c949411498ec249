"""A zip file that a stranger sent: checked as a whole before a byte of it is written."""

import os
import stat
import zlib
from io import BytesIO
from pathlib import Path
from typing import Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from jobengine.archive.layout import check_ends, check_places
from jobengine.archive.limits import ArchiveLimits
from jobengine.archive.names import check_together, checked_path
from jobengine.errors import ArchiveRefused

_PIECE: Final = 64 * 1024  # bytes
_IS_ENCRYPTED: Final = 1 | 1 << 6 | 1 << 13  # flags of an entry: in three ways


class Archive:
    """A zip file of which everything that can be known without unpacking it is in order."""

    def __init__(self, data: bytes, limits: ArchiveLimits) -> None:
        """Raises ArchiveRefused, which says what is wrong with it."""
        if len(data) > limits.bytes:
            raise ArchiveRefused(f"the archive has {len(data)} bytes: {limits.bytes} are taken")
        check_ends(data, entries_most=limits.names)
        try:
            self._zip = ZipFile(BytesIO(data))
        except (BadZipFile, NotImplementedError, UnicodeDecodeError, ValueError):
            raise ArchiveRefused("this is not a zip file, or it is damaged") from None
        self._limits = limits
        self._paths = {entry: _checked(entry, limits) for entry in self._zip.infolist()}
        if len(self._paths) > limits.entries:
            raise ArchiveRefused(f"there are more than {limits.entries} entries in the archive")
        if sum(entry.file_size for entry in self._paths) > limits.unpacked_bytes:
            raise ArchiveRefused(f"there are more than {limits.unpacked_bytes} bytes in the archive")
        together = ((parts, entry.is_dir()) for entry, parts in self._paths.items())
        check_together(together, most=limits.names)
        check_places(data, list(self._paths), directory=self._zip.start_dir)

    def __contains__(self, name: str) -> bool:
        """Whether there is a file of this name at its top."""
        return any(parts == (name,) and not entry.is_dir() for entry, parts in self._paths.items())

    def unpack(self, directory: Path) -> None:
        """Write all of it into a directory that is empty and nobody else's.

        What an entry says of its size is not believed: real bytes are counted. Raises ArchiveRefused, and
        OSError; then part of it may be there.
        """
        for entry, parts in self._paths.items():
            if entry.is_dir():
                directory.joinpath(*parts).mkdir(mode=0o700, parents=True, exist_ok=True)
            else:
                directory.joinpath(*parts[:-1]).mkdir(mode=0o700, parents=True, exist_ok=True)
                self._write(entry, directory.joinpath(*parts))

    def _write(self, entry: ZipInfo, path: Path) -> None:
        mode = 0o700 if entry.external_attr >> 16 & stat.S_IXUSR else 0o600
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        left = entry.file_size
        with os.fdopen(descriptor, "wb") as file:
            try:
                with self._zip.open(entry) as packed:
                    while piece := packed.read(_PIECE):
                        left -= len(piece)
                        if left < 0:
                            raise ArchiveRefused("an entry has more bytes than it says")
                        file.write(piece)
            except (BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeDecodeError):
                raise ArchiveRefused("an entry of the archive is damaged") from None
        if left:
            raise ArchiveRefused("an entry has fewer bytes than it says")


def _checked(entry: ZipInfo, limits: ArchiveLimits) -> tuple[str, ...]:
    """The parts of its path. Raises ArchiveRefused."""
    parts = checked_path(entry.orig_filename, most_bytes=limits.name_bytes)
    if entry.flag_bits & _IS_ENCRYPTED:
        raise ArchiveRefused("an entry is encrypted: send it as it is, the database is encrypted anyway")
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise ArchiveRefused("an entry is packed in a way that is not taken: store or deflate it")
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ArchiveRefused("an entry is a link or a device: only files and directories are taken")
    if entry.file_size > limits.ratio * max(entry.compress_size, 1):
        raise ArchiveRefused(f"an entry is more than {limits.ratio} times what it takes in the archive")
    return parts
