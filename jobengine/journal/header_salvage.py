"""One good header out of two damaged copies, as far as that is possible."""

import hashlib
from collections.abc import Iterator
from itertools import product
from typing import Final

from jobengine.errors import Damaged, WrongSecret
from jobengine.journal.header import COPY_BYTES, Header, read_header
from jobengine.journal.keys import Secret

_SUMMED_BYTES: Final = 480
_MOST_PIECES: Final = 10  # where the copies differ: 2^10 headers to try

_BEYOND_HELP: Final = (
    "both copies of the header are damaged, and no whole one can be put together from them: the data key is "
    "gone, and with it all that the file holds; `jobengine db restore` puts back a copy"
)


def salvaged_header(data: bytes, secret: Secret) -> tuple[Header, dict[int, bytes]]:
    """The header that these first 8192 bytes hold or held, as `read_header` gives it.

    The data key is sealed with the rest of the header, so a header that opens is the right one. Raises
    Damaged, WrongSecret.
    """
    try:
        return read_header(data)
    except Damaged as refusal:
        if "format" in refusal.detail:  # of a newer program: not damaged
            raise
    for candidate in _candidates(data):
        try:
            header, _ = read_header(candidate * 2)
            header.unlock(secret)
        except (Damaged, WrongSecret):
            continue
        return header, dict.fromkeys((0, COPY_BYTES), candidate)
    raise Damaged(_BEYOND_HELP)


def _candidates(data: bytes) -> Iterator[bytes]:
    """Every copy that can be put together where each piece comes from the one or the other."""
    first, second = data[:_SUMMED_BYTES], data[COPY_BYTES : COPY_BYTES + _SUMMED_BYTES]
    if len(second) < _SUMMED_BYTES:
        return
    pieces = _pieces(first, second)
    for choice in product((first, second), repeat=min(len(pieces), _MOST_PIECES)):
        merged = bytearray(first)
        for (start, end), chosen in zip(pieces, choice, strict=False):
            merged[start:end] = chosen[start:end]
        yield (bytes(merged) + hashlib.sha256(merged).digest()).ljust(COPY_BYTES, b"\0")


def _pieces(first: bytes, second: bytes) -> list[tuple[int, int]]:
    """Where the two differ."""
    pieces: list[tuple[int, int]] = []
    for place in (place for place in range(_SUMMED_BYTES) if first[place] != second[place]):
        if pieces and pieces[-1][1] == place:
            pieces[-1] = (pieces[-1][0], place + 1)
        else:
            pieces.append((place, place + 1))
    return pieces
