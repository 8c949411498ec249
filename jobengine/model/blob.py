"""A value that is too big for memory."""

from typing import Final

from msgspec import Struct

BLOB_THRESHOLD_BYTES: Final = 16 * 1024
BLOB_PART_BYTES: Final = 1024 * 1024


class Blob(Struct, frozen=True, gc=False, omit_defaults=True):
    """Where a value over 16 KiB stands in the database file."""

    length: int  # bytes of the value
    digest: bytes  # SHA-256 of the value
    offsets: tuple[int, ...]  # of the frames that hold it, in order; each but the last holds 1 MiB
    generation: int = 0  # of the file that these are offsets in: each compaction makes the next one


def length_of(value: bytes | Blob | None) -> int:
    """Of a value, wherever it stands; 0 of none."""
    if value is None:
        return 0
    return len(value) if isinstance(value, bytes) else value.length
