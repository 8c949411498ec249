"""Memory of bodies and archives: given back to the system when it is not needed any more."""

import ctypes
from typing import Final

_MMAP_THRESHOLD: Final = -3  # M_MMAP_THRESHOLD of mallopt(3)
_BLOCK_BYTES: Final = 1024 * 1024


def give_large_blocks_back() -> bool:
    """Let the C library map each block of 1 MiB or more by itself, so that it is gone when it is freed.

    Else glibc learns from the first large ones to keep such blocks, for each thread apart: 100 archives of
    16 MiB, two at a time, then took a half more. False where the C library has no such thing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and mallopt(_MMAP_THRESHOLD, _BLOCK_BYTES) == 1
