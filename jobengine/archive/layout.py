"""Where the parts of a zip file lie (APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.16).

    | local header, name, data | … | central directory | end record, comment |
    0                              start               start + size          the end of the file

Readers differ in what they make of gaps, of parts that overlap and of several end records; where no two
readers can differ, what was checked is what is unpacked.
"""

from collections.abc import Sequence
from struct import Struct, error
from typing import Final
from zipfile import ZipInfo

from jobengine.errors import ArchiveRefused

_END: Final = Struct("<4sHHHHIIH")  # …, entries here, entries, size, start, length of the comment
_LOCAL: Final = Struct("<4sHHHHHIIIHH")  # …, length of the name, length of the extra field
_COMMENT_MOST: Final = 0xFFFF
_DIRECTORY_ENTRY_MOST: Final = 2048  # bytes that an entry of the central directory takes, generously
_HAS_DESCRIPTOR: Final = 1 << 3


def check_ends(archive: bytes, *, entries_most: int) -> None:
    """One end record, at the very end, and right before it a directory that is not too long.

    Raises ArchiveRefused.
    """
    place = archive.rfind(b"PK\5\6", max(0, len(archive) - _END.size - _COMMENT_MOST))
    try:
        _, _, _, _, entries, size, start, comment = _END.unpack_from(
            archive, place if place >= 0 else len(archive)
        )
    except error:
        raise ArchiveRefused("this is not a zip file, or only the beginning of one") from None
    if place + _END.size + comment != len(archive) or start + size != place:
        raise ArchiveRefused("this is not a zip file and nothing else (zip64 and split ones are not taken)")
    if entries > entries_most or size > entries_most * _DIRECTORY_ENTRY_MOST:
        raise ArchiveRefused(f"there are more than {entries_most} entries in the archive")


def check_places(archive: bytes, entries: Sequence[ZipInfo], *, directory: int) -> None:
    """Every entry has bytes of its own. Raises ArchiveRefused when two share some."""
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            raise ArchiveRefused("two entries share bytes of the archive")
        end = _end_of(archive, entry)
    if end > directory:
        raise ArchiveRefused("an entry reaches into the directory of the archive")


def _end_of(archive: bytes, entry: ZipInfo) -> int:
    try:
        signature, *_, name_bytes, extra_bytes = _LOCAL.unpack_from(archive, entry.header_offset)
    except error:
        signature = b""
    if signature != b"PK\3\4":
        raise ArchiveRefused("the directory of the archive leads to what is no entry")
    data: int = entry.header_offset + _LOCAL.size + name_bytes + extra_bytes
    return data + entry.compress_size + _descriptor(archive, data, entry)


def _descriptor(archive: bytes, data: int, entry: ZipInfo) -> int:
    """How many bytes follow the data: sums and sizes, with a signature or without."""
    if not entry.flag_bits & _HAS_DESCRIPTOR:
        return 0
    behind = data + entry.compress_size
    return 16 if archive[behind : behind + 4] == b"PK\7\10" else 12
