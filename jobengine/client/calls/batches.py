"""Lists that are too long for one request, in parts."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

PartT = TypeVar("PartT")

MOST: Final = 1000
BYTES_MOST: Final = 512 * 1024  # half of what a broker takes where nothing else is configured


def batches(parts: Iterable[PartT], *, size: Callable[[PartT], int]) -> Iterator[list[PartT]]:
    """Up to MOST at a time, of up to BYTES_MOST together. One that is larger goes alone."""
    batch: list[PartT] = []
    total = 0
    for part in parts:
        length = size(part)
        if batch and (len(batch) == MOST or total + length > BYTES_MOST):
            yield batch
            batch, total = [], 0
        batch.append(part)
        total += length
    if batch:
        yield batch
