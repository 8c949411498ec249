"""Randomness for the rules, fetched from the system in larger pieces."""

import os

_SEED_BYTES = 16
_SEEDS_A_TIME = 256


class Seeds:
    """An endless supply of 16 random bytes."""

    def __init__(self) -> None:
        self._pool = b""
        self._used = 0

    def next(self) -> bytes:
        """16 bytes that nobody had before."""
        if self._used == len(self._pool):
            self._pool = os.urandom(_SEED_BYTES * _SEEDS_A_TIME)
            self._used = 0
        seed = self._pool[self._used : self._used + _SEED_BYTES]
        self._used += _SEED_BYTES
        return seed
