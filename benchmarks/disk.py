"""What the disk itself takes: an append and its fdatasync."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def appending(directory: Path, *, size: int) -> Iterator[Callable[[], float]]:
    """Gives a call that appends so many bytes, syncs, and says how many seconds that took."""
    path = directory / "appended"
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    block = os.urandom(size)

    def append() -> float:
        begun = time.perf_counter()
        os.write(descriptor, block)
        os.fdatasync(descriptor)
        return time.perf_counter() - begun

    try:
        yield append
    finally:
        os.close(descriptor)
        path.unlink()
