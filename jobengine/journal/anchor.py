"""The anchor: 128 bytes beside the database file that remember how far it had come.

Without it nobody could tell a file that lost its newest commits, or was replaced by an older copy, from a
whole one. Little-endian:

       0   8  magic
       8  16  id of the file that it belongs to
      24   8  sequence of the last frame that is on disk
      32   8  offset right behind that frame
      40   8  time, ms since the Unix epoch
      48  16  boot id of the machine
      64   1  1: closed in good order
      65   1  1: a write or a sync failed
      66      zeros
      92   4  CRC-32 of bytes 0 to 92: tells a damaged anchor from that of another file
      96  32  HMAC-SHA256 of bytes 0 to 96, under a key of the file
"""

import hmac
import struct
import zlib
from pathlib import Path
from typing import Final

from msgspec import Struct

from jobengine.journal.files import Files, read_all, write_all

_MAGIC: Final = b"\xa7JOBQ\r\n\x1a"
_LAYOUT: Final = struct.Struct("<8s16sQQQ16s??26x")
_CODE_BYTES: Final = 32
_ANCHOR_BYTES: Final = 128


class Mark(Struct, frozen=True):
    """What an anchor says."""

    file_id: bytes
    sequence: int
    end: int
    time: int
    boot_id: bytes
    clean: bool = False
    failed: bool = False

    def pack(self, key: bytes) -> bytes:
        """Its 128 bytes."""
        fields = (self.file_id, self.sequence, self.end, self.time, self.boot_id, self.clean, self.failed)
        summed = _LAYOUT.pack(_MAGIC, *fields)
        authenticated = summed + _checksum(summed)
        return authenticated + hmac.digest(key, authenticated, "sha256")


class Anchor:
    """The anchor of one database file, open for as long as that is."""

    def __init__(self, files: Files, path: Path, *, file_id: bytes, key: bytes) -> None:
        self.file_id = file_id
        self._files = files
        self._path = path
        self._key = key
        self._file: int | None = None
        self._dirty = False

    def read(self) -> Mark | None:
        """What it says; None when it is not there, or damaged.

        A mark of another file cannot be checked with this one's key: it is returned as it stands.
        """
        if not self._files.exists(self._path):
            return None
        self._file = self._files.open(self._path)
        data = read_all(self._files, self._file, _ANCHOR_BYTES, 0)
        mark = _unpack(data)
        if mark is not None and mark.file_id == self.file_id:
            return mark if hmac.compare_digest(mark.pack(self._key), data) else None
        return mark

    def establish(self, mark: Mark) -> None:
        """Write it and wait for the disk; make the file when it is not there."""
        made = self._file is None
        self.write(mark)
        self.sync()
        if made:
            self._files.sync_directory(self._path.parent)

    def write(self, mark: Mark) -> None:
        """Write it. A crash of the machine may take it back as far as the last `sync`."""
        if self._file is None:
            self._file = self._files.open(self._path, create=True)
        write_all(self._files, self._file, mark.pack(self._key), 0)
        self._dirty = True

    def sync(self) -> None:
        """Wait for the disk, if anything was written since the last time."""
        if self._dirty and self._file is not None:
            self._files.sync(self._file)
            self._dirty = False

    def close(self) -> None:
        """Give the descriptor back."""
        if self._file is not None:
            self._files.close(self._file)
            self._file = None


def _unpack(data: bytes) -> Mark | None:
    """The mark of an undamaged anchor. Its code is not looked at."""
    summed, checksum = data[: _LAYOUT.size], data[_LAYOUT.size : -_CODE_BYTES]
    if len(data) != _ANCHOR_BYTES or checksum != _checksum(summed):
        return None
    magic, *fields = _LAYOUT.unpack(summed)
    return Mark(*fields) if magic == _MAGIC else None


def _checksum(summed: bytes) -> bytes:
    return zlib.crc32(summed).to_bytes(4, "little")
