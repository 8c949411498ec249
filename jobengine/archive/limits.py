"""How much an archive may hold."""

from typing import Final

from msgspec import Struct

MEBIBYTE: Final = 1024 * 1024


class ArchiveLimits(Struct, frozen=True):
    """What more than this is refused, before anything is written."""

    bytes: int = 16 * MEBIBYTE  # of the archive itself
    unpacked_bytes: int = 1024 * MEBIBYTE  # of all that is in it
    entries: int = 1000
    ratio: int = 100  # of an entry's bytes to those it takes in the archive
    name_bytes: int = 1024  # of the path of an entry
