"""How much an archive may hold."""

from typing import Final

from msgspec import Struct

MEBIBYTE: Final = 1024 * 1024
DEPTH_MOST: Final = 64  # directories in one another: each is held open while it is packed


class ArchiveLimits(Struct, frozen=True):
    """What more than this is refused, before anything is written."""

    bytes: int = 16 * MEBIBYTE  # of the archive itself
    unpacked_bytes: int = 1024 * MEBIBYTE  # of all that is in it
    entries: int = 1000
    ratio: int = 100  # of an entry's bytes to those it takes in the archive
    name_bytes: int = 1024  # of the path of an entry

    @property
    def names(self) -> int:
        """How many names are looked at: a directory may hold millions, and one entry's path hundreds."""
        return 10 * self.entries
